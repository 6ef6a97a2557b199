/*
 * spnego: one side of a negotiation on MIT's or Heimdal's libgssapi, driven over
 * stdin and stdout by a test. The library is the one it is compiled against.
 *
 *   spnego initiate service=host@localhost [flags=HEX] [mech=NAME] [offer=NAME,NAME…]
 *   spnego accept   service=host@localhost [offer=NAME,NAME…]
 *
 * The names are krb5, ms-krb5, spnego and unknown, which is othermech's. An
 * initiator uses the mechanism "mech", spnego by default; "offer" is the list to
 * negotiate, which only MIT's library takes.
 *
 * Frames and commands are those of peer.h.
 */
#include "peer.h"

static struct {
	const char *name;
	gss_OID_desc oid;
} mechs[] = {
	{"krb5", {9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"}},
	{"ms-krb5", {9, "\x2a\x86\x48\x82\xf7\x12\x01\x02\x02"}},
	{"spnego", {6, "\x2b\x06\x01\x05\x05\x02"}},
	{"unknown", {6, "\x2b\x06\x01\x05\x05\x7f"}},
};

static gss_OID mech_of(const char *name)
{
	for (size_t i = 0; i < sizeof mechs / sizeof *mechs; i++)
		if (!strcmp(mechs[i].name, name))
			return &mechs[i].oid;
	exit(2);
}

static void report(gss_ctx_id_t ctx)
{
	OM_uint32 maj, min, life, flags;
	gss_name_t src, targ;
	gss_OID mech;
	int local, open;
	char s[512], t[512], text[2048], id[256] = "";

	maj = gss_inquire_context(&min, ctx, &src, &targ, &life, &mech, &flags, &local, &open);
	check("inquire_context", maj, min);
	display(src, s, sizeof s);
	display(targ, t, sizeof t);
	for (size_t i = 0; i < mech->length && i < 100; i++)
		sprintf(id + 2 * i, "%02x", ((unsigned char *)mech->elements)[i]);
	snprintf(text, sizeof text, "initiator=%s\nacceptor=%s\nflags=%x\nlifetime=%u\nlocal=%d\nopen=%d\nmech=%s\n",
		 s, t, flags, life, local, open, id);
	put("O", 1, text, strlen(text));
}

/* offered parses a list of mechanisms. */
static gss_OID_set offered(char *list)
{
	OM_uint32 maj, min;
	gss_OID_set set;

	maj = gss_create_empty_oid_set(&min, &set);
	check("create_empty_oid_set", maj, min);
	for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		maj = gss_add_oid_set_member(&min, mech_of(name), &set);
		check("add_oid_set_member", maj, min);
	}
	return set;
}

static gss_cred_id_t acquire(gss_name_t self, int usage, gss_OID mech, char *offer)
{
	OM_uint32 maj, min;
	gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
	gss_OID_set_desc one = {1, mech};

	if (!offer && usage == GSS_C_INITIATE)
		return cred;
	maj = gss_acquire_cred(&min, self, GSS_C_INDEFINITE, offer ? &one : GSS_C_NO_OID_SET, usage, &cred, NULL, NULL);
	check("acquire_cred", maj, min);
#ifndef HEIMDAL
	if (offer) {
		maj = gss_set_neg_mechs(&min, cred, offered(offer));
		check("set_neg_mechs", maj, min);
	}
#else
	if (offer && offered(offer)->count > 0) /* Heimdal 7 cannot choose */
		exit(2);
#endif
	return cred;
}

static gss_ctx_id_t initiate(gss_name_t target, OM_uint32 want, gss_OID mech, char *offer)
{
	OM_uint32 maj, min, min2;
	gss_ctx_id_t ctx = GSS_C_NO_CONTEXT;
	gss_cred_id_t cred = acquire(GSS_C_NO_NAME, GSS_C_INITIATE, mech, offer);
	gss_buffer_desc in = GSS_C_EMPTY_BUFFER, out;

	for (;;) {
		maj = gss_init_sec_context(&min, cred, &ctx, target, mech, want, 0, GSS_C_NO_CHANNEL_BINDINGS,
					   &in, NULL, &out, NULL, NULL);
		if (out.length)
			put("T", 1, out.value, out.length);
		gss_release_buffer(&min2, &out);
		check("init_sec_context", maj, min);
		if (maj == GSS_S_COMPLETE)
			break;
		free(in.value);
		in = get();
	}
	report(ctx);
	return ctx;
}

static gss_ctx_id_t accept_(gss_name_t self, char *offer)
{
	OM_uint32 maj, min, min2;
	gss_ctx_id_t ctx = GSS_C_NO_CONTEXT;
	gss_cred_id_t cred = acquire(self, GSS_C_ACCEPT, mech_of("spnego"), offer);

	do {
		gss_buffer_desc in = get(), out = GSS_C_EMPTY_BUFFER;
		maj = gss_accept_sec_context(&min, &ctx, cred, &in, GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL, &out, NULL, NULL, NULL);
		if (out.length)
			put("T", 1, out.value, out.length);
		gss_release_buffer(&min2, &out);
		free(in.value);
		check("accept_sec_context", maj, min);
	} while (maj != GSS_S_COMPLETE);
	report(ctx);
	return ctx;
}

int main(int argc, char **argv)
{
	OM_uint32 maj, min, flags = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG;
	gss_name_t name = GSS_C_NO_NAME;
	gss_OID mech = mech_of("spnego");
	gss_ctx_id_t ctx;
	char *offer = NULL;

	status_mech = mech;
	for (int i = 2; i < argc; i++) {
		char *v = strchr(argv[i], '=');
		if (!v)
			return 2;
		*v++ = 0;
		if (!strcmp(argv[i], "service")) {
			gss_buffer_desc b = {strlen(v), v};
			maj = gss_import_name(&min, &b, GSS_C_NT_HOSTBASED_SERVICE, &name);
			check("import_name", maj, min);
		} else if (!strcmp(argv[i], "flags")) {
			flags = strtoul(v, NULL, 16);
		} else if (!strcmp(argv[i], "mech")) {
			status_mech = mech = mech_of(v);
		} else if (!strcmp(argv[i], "offer")) {
			offer = v;
		} else {
			return 2;
		}
	}
	if (argc > 1 && !strcmp(argv[1], "initiate"))
		ctx = initiate(name, flags, mech, offer);
	else if (argc > 1 && !strcmp(argv[1], "accept"))
		ctx = accept_(name, offer);
	else
		return 2;
	return serve(ctx);
}
