/*
 * gssbench: the work of this module's Go benchmarks on MIT's libgssapi or, with
 * -DHEIMDAL, on Heimdal's.
 *
 *   gssbench SERVICE MILLISECONDS
 *
 * The environment leads to a credential cache with a ticket for SERVICE, a
 * principal, and to a keytab with its key. Both are copied to memory first, so
 * that no file is read while the clock runs. Each line on stdout is a name and
 * the nanoseconds of processor time that one operation took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <gssapi/gssapi.h>
#ifndef HEIMDAL
#include <gssapi/gssapi_ext.h>
#endif
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>

#define BATCH 100
#define FLAGS (GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG)

static gss_OID_desc mech = {9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
static double per_op; /* seconds to spend on each operation */
static gss_cred_id_t initiator, acceptor;
static gss_name_t target;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void check(const char *call, OM_uint32 maj, OM_uint32 min)
{
	OM_uint32 m, more = 0;
	gss_buffer_desc b;

	if (maj == GSS_S_COMPLETE || maj == GSS_S_CONTINUE_NEEDED)
		return;
	fprintf(stderr, "%s: %x\n", call, maj);
	if (!gss_display_status(&m, min, GSS_C_MECH_CODE, &mech, &more, &b))
		fprintf(stderr, "  %.*s\n", (int)b.length, (char *)b.value);
	exit(1);
}

static void checkk(const char *call, krb5_context k, krb5_error_code e)
{
	if (!e)
		return;
	fprintf(stderr, "%s: %s\n", call, krb5_get_error_message(k, e));
	exit(1);
}

/* to_memory copies the cache and the keytab of the environment, and makes the
 * copies the default. They stay open: that keeps them alive. */
static void to_memory(void)
{
	krb5_context k;
	krb5_ccache from, to;
	krb5_principal p;
	krb5_cc_cursor c;
	krb5_creds cred;
	krb5_keytab kfrom, kto;
	krb5_kt_cursor kc;
	krb5_keytab_entry entry;

	checkk("init_context", NULL, krb5_init_context(&k));
	checkk("cc_default", k, krb5_cc_default(k, &from));
	checkk("cc_resolve", k, krb5_cc_resolve(k, "MEMORY:bench", &to));
	checkk("cc_get_principal", k, krb5_cc_get_principal(k, from, &p));
	checkk("cc_initialize", k, krb5_cc_initialize(k, to, p));
	checkk("cc_start_seq_get", k, krb5_cc_start_seq_get(k, from, &c));
	while (!krb5_cc_next_cred(k, from, &c, &cred))
		checkk("cc_store_cred", k, krb5_cc_store_cred(k, to, &cred));
	krb5_cc_end_seq_get(k, from, &c);
	checkk("kt_default", k, krb5_kt_default(k, &kfrom));
	checkk("kt_resolve", k, krb5_kt_resolve(k, "MEMORY:bench", &kto));
	checkk("kt_start_seq_get", k, krb5_kt_start_seq_get(k, kfrom, &kc));
	while (!krb5_kt_next_entry(k, kfrom, &entry, &kc))
		checkk("kt_add_entry", k, krb5_kt_add_entry(k, kto, &entry));
	krb5_kt_end_seq_get(k, kfrom, &kc);
	setenv("KRB5CCNAME", "MEMORY:bench", 1);
	setenv("KRB5_KTNAME", "MEMORY:bench", 1);
}

static void acquire(void)
{
	OM_uint32 maj, min;
	gss_name_t n;

	maj = gss_acquire_cred(&min, GSS_C_NO_NAME, GSS_C_INDEFINITE, GSS_C_NO_OID_SET, GSS_C_INITIATE, &initiator, NULL, NULL);
	check("acquire_cred (initiate)", maj, min);
	maj = gss_inquire_cred(&min, initiator, &n, NULL, NULL, NULL); /* reads a lazy credential */
	check("inquire_cred", maj, min);
	gss_release_name(&min, &n);
	maj = gss_acquire_cred(&min, GSS_C_NO_NAME, GSS_C_INDEFINITE, GSS_C_NO_OID_SET, GSS_C_ACCEPT, &acceptor, NULL, NULL);
	check("acquire_cred (accept)", maj, min);
}

/* side is one pair of contexts in the making. */
struct side { gss_ctx_id_t i, a; gss_buffer_desc it, at; };

static void init1(struct side *s, OM_uint32 flags)
{
	OM_uint32 maj, min;

	s->i = GSS_C_NO_CONTEXT;
	maj = gss_init_sec_context(&min, initiator, &s->i, target, &mech, flags, 0, NULL, GSS_C_NO_BUFFER, NULL, &s->it, NULL, NULL);
	check("init_sec_context", maj, min);
}

static void accept1(struct side *s)
{
	OM_uint32 maj, min;
	gss_name_t src = GSS_C_NO_NAME;

	s->a = GSS_C_NO_CONTEXT;
	maj = gss_accept_sec_context(&min, &s->a, acceptor, &s->it, NULL, &src, NULL, &s->at, NULL, NULL, NULL);
	check("accept_sec_context", maj, min);
	gss_release_name(&min, &src);
}

static void init2(struct side *s, OM_uint32 flags)
{
	OM_uint32 maj, min;
	gss_buffer_desc none;

	if (!(flags & GSS_C_MUTUAL_FLAG))
		return;
	maj = gss_init_sec_context(&min, initiator, &s->i, target, &mech, flags, 0, NULL, &s->at, NULL, &none, NULL, NULL);
	check("init_sec_context", maj, min);
}

static void contexts(const char *name, OM_uint32 flags)
{
	static struct side s[BATCH];
	OM_uint32 min;
	double ti = 0, ta = 0;
	long n = 0;

	for (int warm = 1; ti + ta < 2 * per_op; warm = 0) {
		double t0 = now(), t1, t2, t3, t4;
		for (int i = 0; i < BATCH; i++)
			init1(&s[i], flags);
		t1 = now();
		for (int i = 0; i < BATCH; i++)
			accept1(&s[i]);
		t2 = now();
		for (int i = 0; i < BATCH; i++) {
			init2(&s[i], flags);
			gss_release_buffer(&min, &s[i].it);
			gss_delete_sec_context(&min, &s[i].i, GSS_C_NO_BUFFER);
		}
		t3 = now();
		for (int i = 0; i < BATCH; i++) {
			gss_release_buffer(&min, &s[i].at);
			gss_delete_sec_context(&min, &s[i].a, GSS_C_NO_BUFFER);
		}
		t4 = now();
		if (warm)
			continue;
		ti += t1 - t0 + t3 - t2;
		ta += t2 - t1 + t4 - t3;
		n += BATCH;
	}
	printf("initiate/%s %.1f\naccept/%s %.1f\n", name, ti / n * 1e9, name, ta / n * 1e9);
}

/* messages measures making and taking a token: wrapped ones (confidential or
 * not) or MICs. The buffers that the library allocates are released inside. */
static void messages(struct side *s, const char *make, const char *take, int mic, int conf, size_t size)
{
	int batch = 262144 / size < BATCH ? 262144 / size : BATCH;
	gss_buffer_desc msg = {size, malloc(size)}, token[BATCH], back;
	OM_uint32 maj, min;
	double tm = 0, tt = 0;
	long n = 0;

	memset(msg.value, 'x', size);
	for (int warm = 1; tm + tt < 2 * per_op; warm = 0) {
		double t0 = now(), t1, t2, t3;
		for (int i = 0; i < batch; i++) {
			maj = mic ? gss_get_mic(&min, s->i, GSS_C_QOP_DEFAULT, &msg, &token[i])
				  : gss_wrap(&min, s->i, conf, GSS_C_QOP_DEFAULT, &msg, NULL, &token[i]);
			check(make, maj, min);
		}
		t1 = now();
		for (int i = 0; i < batch; i++) {
			if (mic) {
				maj = gss_verify_mic(&min, s->a, &msg, &token[i], NULL);
				check(take, maj, min);
				continue;
			}
			maj = gss_unwrap(&min, s->a, &token[i], &back, NULL, NULL);
			check(take, maj, min);
			gss_release_buffer(&min, &back);
		}
		t2 = now();
		for (int i = 0; i < batch; i++)
			gss_release_buffer(&min, &token[i]);
		t3 = now();
		if (warm)
			continue;
		tm += t1 - t0 + t3 - t2;
		tt += t2 - t1;
		n += batch;
	}
	printf("%s/%zu %.1f\n%s/%zu %.1f\n", make, size, tm / n * 1e9, take, size, tt / n * 1e9);
	free(msg.value);
}

/* pieces measures messages in place: header, data, padding and trailer, with the
 * lengths asked for once and the memory used again. */
static void pieces(struct side *s, size_t size)
{
	enum { HEADER, DATA, PADDING, TRAILER, N };
	int batch = 262144 / size < BATCH ? 262144 / size : BATCH, conf;
	gss_iov_buffer_desc (*iov)[N] = calloc(batch, sizeof *iov);
	OM_uint32 maj, min;
	double tw = 0, tu = 0;
	long n = 0;

	for (int i = 0; i < batch; i++) {
		iov[i][HEADER].type = GSS_IOV_BUFFER_TYPE_HEADER;
		iov[i][DATA].type = GSS_IOV_BUFFER_TYPE_DATA;
		iov[i][PADDING].type = GSS_IOV_BUFFER_TYPE_PADDING;
		iov[i][TRAILER].type = GSS_IOV_BUFFER_TYPE_TRAILER;
		iov[i][DATA].buffer.length = size;
		maj = gss_wrap_iov_length(&min, s->i, 1, GSS_C_QOP_DEFAULT, &conf, iov[i], N);
		check("wrap_iov_length", maj, min);
		for (int j = 0; j < N; j++)
			iov[i][j].buffer.value = calloc(1, iov[i][j].buffer.length + 1);
	}
	for (int warm = 1; tw + tu < 2 * per_op; warm = 0) {
		double t0 = now(), t1, t2;
		for (int i = 0; i < batch; i++) {
			maj = gss_wrap_iov(&min, s->i, 1, GSS_C_QOP_DEFAULT, NULL, iov[i], N);
			check("wrap_iov", maj, min);
		}
		t1 = now();
		for (int i = 0; i < batch; i++) {
			maj = gss_unwrap_iov(&min, s->a, &conf, NULL, iov[i], N);
			check("unwrap_iov", maj, min);
		}
		t2 = now();
		if (warm)
			continue;
		tw += t1 - t0;
		tu += t2 - t1;
		n += batch;
	}
	printf("wrap-iov/%zu %.1f\nunwrap-iov/%zu %.1f\n", size, tw / n * 1e9, size, tu / n * 1e9);
	for (int i = 0; i < batch; i++)
		for (int j = 0; j < N; j++)
			free(iov[i][j].buffer.value);
	free(iov);
}

#ifndef HEIMDAL /* whose gss_unwrap_aead needs streams, which its mechanism lacks */
/* associated measures messages with associated data. */
static void associated(struct side *s, size_t size)
{
	int batch = 262144 / size < BATCH ? 262144 / size : BATCH;
	gss_buffer_desc msg = {size, calloc(1, size)}, ad = {16, "associated data."}, token[BATCH], back;
	OM_uint32 maj, min;
	double tw = 0, tu = 0;
	long n = 0;

	for (int warm = 1; tw + tu < 2 * per_op; warm = 0) {
		double t0 = now(), t1, t2, t3;
		for (int i = 0; i < batch; i++) {
			maj = gss_wrap_aead(&min, s->i, 1, GSS_C_QOP_DEFAULT, &ad, &msg, NULL, &token[i]);
			check("wrap_aead", maj, min);
		}
		t1 = now();
		for (int i = 0; i < batch; i++) {
			maj = gss_unwrap_aead(&min, s->a, &token[i], &ad, &back, NULL, NULL);
			check("unwrap_aead", maj, min);
			gss_release_buffer(&min, &back);
		}
		t2 = now();
		for (int i = 0; i < batch; i++)
			gss_release_buffer(&min, &token[i]);
		t3 = now();
		if (warm)
			continue;
		tw += t1 - t0 + t3 - t2;
		tu += t2 - t1;
		n += batch;
	}
	printf("wrap-aead/%zu %.1f\nunwrap-aead/%zu %.1f\n", size, tw / n * 1e9, size, tu / n * 1e9);
	free(msg.value);
}
#endif

int main(int argc, char **argv)
{
	static const size_t sizes[] = {64, 1024, 65536};
	OM_uint32 maj, min;
	gss_buffer_desc name;
	struct side s;

	if (argc != 3)
		return 2;
	per_op = atoi(argv[2]) / 1000.0;
	to_memory();
	acquire();
	name.value = argv[1];
	name.length = strlen(argv[1]);
	maj = gss_import_name(&min, &name, (gss_OID)GSS_KRB5_NT_PRINCIPAL_NAME, &target);
	check("import_name", maj, min);
	contexts("mutual", FLAGS | GSS_C_MUTUAL_FLAG);
	contexts("oneway", FLAGS);
	init1(&s, FLAGS | GSS_C_MUTUAL_FLAG);
	accept1(&s);
	init2(&s, FLAGS | GSS_C_MUTUAL_FLAG);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		messages(&s, "wrap", "unwrap", 0, 1, sizes[i]);
		messages(&s, "wrap-integ", "unwrap-integ", 0, 0, sizes[i]);
		messages(&s, "mic", "verify", 1, 0, sizes[i]);
		pieces(&s, sizes[i]);
#ifndef HEIMDAL
		associated(&s, sizes[i]);
#endif
	}
	return 0;
}
