/*
 * iovpeer: one side of a security context on a C library, driven over stdin and
 * stdout by a test that sends it messages in pieces. It is built against MIT's
 * libgssapi and, with -DHEIMDAL, against Heimdal's.
 *
 *   iovpeer initiate service=host@localhost flags=HEX
 *   iovpeer accept   service=host@localhost flags=HEX
 *
 * Frames and commands are those of peer.h, and these:
 *
 *   W CONF LENGTHS BUFFER …  wrap_iov, after wrap_iov_length if asked
 *                                          -> confidential?, BUFFER …
 *   U BUFFER …               unwrap_iov    -> confidential?, BUFFER …
 *
 * and, with MIT's library alone:
 *
 *   M LENGTHS BUFFER …       get_mic_iov   -> 0, BUFFER …
 *   V BUFFER …               verify_mic_iov -> 0
 *   A CONF LEN AD MESSAGE    wrap_aead     -> confidential?, token
 *   a LEN AD TOKEN           unwrap_aead   -> confidential?, message
 *
 * A BUFFER is its type, whether the library allocates it, four bytes of length,
 * and as many bytes.
 */
#pragma GCC diagnostic ignored "-Wunused-function" /* of peer.h */
#include "peer.h"
#ifdef HEIMDAL
#include <gssapi/gssapi_krb5.h>
#endif

#define MAX_BUFFERS 64
#define ALLOCATE 0x10000
#define ALLOCATED 0x20000
#define TYPE(t) ((t) & 0xffff)
#define HEADER 2
#define TRAILER 7
#define PADDING 9
#define MIC_TOKEN 12

static gss_OID_desc krb5 = {9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};

static void established(OM_uint32 flags)
{
	char text[64];

	snprintf(text, sizeof text, "flags=%x\n", flags);
	put("O", 1, text, strlen(text));
}

static void send_token(gss_buffer_t token)
{
	OM_uint32 min;

	if (token->length)
		put("T", 1, token->value, token->length);
	gss_release_buffer(&min, token);
}

static gss_ctx_id_t initiate(gss_name_t target, OM_uint32 want)
{
	OM_uint32 maj, min, flags = 0;
	gss_ctx_id_t ctx = GSS_C_NO_CONTEXT;
	gss_buffer_desc in = GSS_C_EMPTY_BUFFER, token;

	for (;;) {
		maj = gss_init_sec_context(&min, GSS_C_NO_CREDENTIAL, &ctx, target, &krb5, want, 0, GSS_C_NO_CHANNEL_BINDINGS,
					   &in, NULL, &token, &flags, NULL);
		check("init_sec_context", maj, min);
		send_token(&token);
		if (maj == GSS_S_COMPLETE)
			break;
		free(in.value);
		in = get();
	}
	established(flags);
	return ctx;
}

static gss_ctx_id_t accept_(gss_name_t self)
{
	OM_uint32 maj, min, flags = 0;
	gss_ctx_id_t ctx = GSS_C_NO_CONTEXT;
	gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;

	maj = gss_acquire_cred(&min, self, GSS_C_INDEFINITE, GSS_C_NO_OID_SET, GSS_C_ACCEPT, &cred, NULL, NULL);
	check("acquire_cred", maj, min);
	do {
		gss_buffer_desc in = get(), token = GSS_C_EMPTY_BUFFER;
		maj = gss_accept_sec_context(&min, &ctx, cred, &in, GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL, &token, &flags, NULL, NULL);
		check("accept_sec_context", maj, min);
		send_token(&token);
		free(in.value);
	} while (maj != GSS_S_COMPLETE);
	established(flags);
	return ctx;
}

/* parse makes buffers of p: those that are not allocated lie in it. */
static int parse(gss_iov_buffer_desc *iov, unsigned char *p, size_t n)
{
	int count = 0;

	while (n > 0) {
		if (n < 6 || be32(p + 2) > n - 6 || count == MAX_BUFFERS)
			exit(3);
		iov[count].type = p[0] | (p[1] ? ALLOCATE : 0);
		iov[count].buffer.length = be32(p + 2);
		iov[count].buffer.value = p + 6;
		n -= 6 + be32(p + 2);
		p += 6 + be32(p + 2);
		if (iov[count].type & ALLOCATE) {
			iov[count].buffer.length = 0;
			iov[count].buffer.value = NULL;
		}
		count++;
	}
	return count;
}

/* provide gives the buffers whose lengths the library has told that memory. */
static void provide(gss_iov_buffer_desc *iov, int count)
{
	for (int i = 0; i < count; i++) {
		switch (TYPE(iov[i].type)) {
		case HEADER:
		case TRAILER:
		case PADDING:
		case MIC_TOKEN:
			iov[i].type = TYPE(iov[i].type);
			if (!(iov[i].buffer.value = calloc(1, iov[i].buffer.length + 1)))
				exit(3);
		}
	}
}

/* answer_iov writes the status and, if it is no error, the buffers. */
static void answer_iov(OM_uint32 maj, int conf, gss_iov_buffer_desc *iov, int count)
{
	unsigned char first = !!conf, *p;
	gss_buffer_desc all = GSS_C_EMPTY_BUFFER;

	for (int i = 0; i < count; i++)
		all.length += 6 + iov[i].buffer.length;
	if (GSS_ERROR(maj) || !(p = all.value = malloc(all.length + 1))) {
		answer(maj, NULL, 0, NULL);
		return;
	}
	for (int i = 0; i < count; i++) {
		uint32_t n = htonl(iov[i].buffer.length);
		*p++ = TYPE(iov[i].type);
		*p++ = 0;
		memcpy(p, &n, 4);
		p += 4;
		if (iov[i].buffer.length)
			memcpy(p, iov[i].buffer.value, iov[i].buffer.length);
		p += iov[i].buffer.length;
	}
	answer(maj, &first, 1, &all);
	free(all.value);
}

static void release(gss_iov_buffer_desc *iov, int count, int provided)
{
	OM_uint32 min;

	for (int i = 0; i < count; i++) {
		if (iov[i].type & ALLOCATED)
			gss_release_buffer(&min, &iov[i].buffer);
		else if (provided && (TYPE(iov[i].type) == HEADER || TYPE(iov[i].type) == TRAILER ||
				      TYPE(iov[i].type) == PADDING || TYPE(iov[i].type) == MIC_TOKEN))
			free(iov[i].buffer.value);
	}
}

/* obey_iov obeys a command of this file and returns 0 for another one. */
static int obey_iov(gss_ctx_id_t ctx, unsigned char *c, size_t n)
{
	OM_uint32 maj = GSS_S_COMPLETE, min;
	gss_iov_buffer_desc iov[MAX_BUFFERS];
	int count = 0, conf = 0, lengths = 0;

	switch (c[0]) {
	case 'W':
		count = parse(iov, c + 3, n - 3);
		if ((lengths = c[2])) {
			maj = gss_wrap_iov_length(&min, ctx, c[1], GSS_C_QOP_DEFAULT, &conf, iov, count);
			provide(iov, count);
		}
		if (!GSS_ERROR(maj))
			maj = gss_wrap_iov(&min, ctx, c[1], GSS_C_QOP_DEFAULT, &conf, iov, count);
		answer_iov(maj, conf, iov, count);
		break;
	case 'U':
		count = parse(iov, c + 1, n - 1);
		maj = gss_unwrap_iov(&min, ctx, &conf, NULL, iov, count);
		answer_iov(maj, conf, iov, count);
		break;
#ifndef HEIMDAL
	case 'M':
		count = parse(iov, c + 2, n - 2);
		if ((lengths = c[1])) {
			maj = gss_get_mic_iov_length(&min, ctx, GSS_C_QOP_DEFAULT, iov, count);
			provide(iov, count);
		}
		if (!GSS_ERROR(maj))
			maj = gss_get_mic_iov(&min, ctx, GSS_C_QOP_DEFAULT, iov, count);
		answer_iov(maj, 0, iov, count);
		break;
	case 'V':
		count = parse(iov, c + 1, n - 1);
		answer_iov(gss_verify_mic_iov(&min, ctx, NULL, iov, count), 0, NULL, 0);
		break;
	case 'A':
	case 'a': {
		int wrap = c[0] == 'A';
		gss_buffer_desc ad, in, result = GSS_C_EMPTY_BUFFER;
		unsigned char first, *p = c + 1 + wrap;

		ad.length = be32(p);
		ad.value = p + 4;
		in.value = p + 4 + ad.length;
		in.length = c + n - (unsigned char *)in.value;
		if (wrap)
			maj = gss_wrap_aead(&min, ctx, c[1], GSS_C_QOP_DEFAULT, &ad, &in, &conf, &result);
		else
			maj = gss_unwrap_aead(&min, ctx, &in, &ad, &result, &conf, NULL);
		first = !!conf;
		answer(maj, &first, 1, &result);
		gss_release_buffer(&min, &result);
		break;
	}
#endif
	default:
		return 0;
	}
	release(iov, count, lengths);
	return 1;
}

int main(int argc, char **argv)
{
	OM_uint32 maj, min, flags;
	gss_name_t name;
	gss_buffer_desc b;
	gss_ctx_id_t ctx;

	status_mech = &krb5;
	if (argc != 4 || strncmp(argv[2], "service=", 8) || strncmp(argv[3], "flags=", 6))
		return 2;
	b.value = argv[2] + 8;
	b.length = strlen(b.value);
	flags = strtoul(argv[3] + 6, NULL, 16);
	maj = gss_import_name(&min, &b, GSS_C_NT_HOSTBASED_SERVICE, &name);
	check("import_name", maj, min);
	ctx = strcmp(argv[1], "initiate") ? accept_(name) : initiate(name, flags);
	for (;;) {
		gss_buffer_desc c = get();
		if (c.length == 0)
			return 3;
		if (!obey_iov(ctx, c.value, c.length))
			obey(ctx, c.value, c.length);
		free(c.value);
	}
}
