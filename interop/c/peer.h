/*
 * What programs that are one side of a security context for a test have in
 * common: frames over stdin and stdout.
 *
 * Frames in both directions are a length of four bytes, most significant first,
 * and that many bytes. Until the context is established, frames read are tokens
 * of the peer, and frames written start with a letter:
 *
 *   T token for the peer        O established, a report as text follows
 *   E failed, the reason as text follows, and the program ends
 *
 * From then on each frame read is a command, and is answered by one frame: the
 * major status in four bytes and, unless it is an error, the result.
 *
 *   w MESSAGE      wrap with confidentiality          -> token
 *   i MESSAGE      wrap with integrity only           -> token
 *   m MESSAGE      make a MIC                         -> token
 *   u TOKEN        unwrap                             -> confidential? one byte; message
 *   v LEN MESSAGE TOKEN  verify a MIC (LEN: 4 bytes)  -> nothing
 *   l CONF SIZE    wrap size limit (1 byte, 4 bytes)  -> 4 bytes
 *   p FULL LEN SEED  pseudo-random (1, 4 bytes)       -> bytes
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gssapi/gssapi.h>
#ifndef HEIMDAL
#include <gssapi/gssapi_ext.h>
#endif

#define MAX_FRAME (1 << 24)

/* whose words check has for a minor status */
static gss_OID status_mech;

static void read_full(void *p, size_t n, int may_end)
{
	for (char *c = p; n > 0;) {
		ssize_t k = read(0, c, n);
		if (k <= 0)
			exit(may_end && c == p ? 0 : 3);
		c += k;
		n -= k;
	}
}

static void write_full(const void *p, size_t n)
{
	for (const char *c = p; n > 0;) {
		ssize_t k = write(1, c, n);
		if (k <= 0)
			exit(3);
		c += k;
		n -= k;
	}
}

static gss_buffer_desc get(void)
{
	uint32_t n;
	gss_buffer_desc b;

	read_full(&n, 4, 1);
	b.length = ntohl(n);
	if (b.length > MAX_FRAME || !(b.value = malloc(b.length + 1)))
		exit(3);
	read_full(b.value, b.length, 0);
	return b;
}

/* put writes the frame head | body; both in one write, as a test waits for it. */
static void put(const void *head, size_t nhead, const void *body, size_t nbody)
{
	uint32_t n = htonl(nhead + nbody);
	char *f = malloc(4 + nhead + nbody);

	if (!f)
		exit(3);
	memcpy(f, &n, 4);
	memcpy(f + 4, head, nhead);
	if (nbody)
		memcpy(f + 4 + nhead, body, nbody);
	write_full(f, 4 + nhead + nbody);
	free(f);
}

static void append_status(char *text, size_t size, OM_uint32 code, int type)
{
	OM_uint32 min, more = 0;
	gss_buffer_desc b;

	do {
		size_t used = strlen(text);
		if (GSS_ERROR(gss_display_status(&min, code, type, status_mech, &more, &b)))
			return;
		snprintf(text + used, size - used, ": %.*s", (int)b.length, (char *)b.value);
		gss_release_buffer(&min, &b);
	} while (more);
}

static void check(const char *call, OM_uint32 maj, OM_uint32 min)
{
	char text[2048];

	if (!GSS_ERROR(maj))
		return;
	snprintf(text, sizeof text, "%s", call);
	append_status(text, sizeof text, maj, GSS_C_GSS_CODE);
	append_status(text, sizeof text, min, GSS_C_MECH_CODE);
	put("E", 1, text, strlen(text));
	exit(1);
}

static void display(gss_name_t name, char *text, size_t size)
{
	OM_uint32 min;
	gss_buffer_desc b;

	text[0] = 0;
	if (name == GSS_C_NO_NAME || GSS_ERROR(gss_display_name(&min, name, &b, NULL)))
		return;
	snprintf(text, size, "%.*s", (int)b.length, (char *)b.value);
	gss_release_buffer(&min, &b);
}

static uint32_t be32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return ntohl(v);
}

/* answer writes the status and, if it is no error, first | rest. */
static void answer(OM_uint32 maj, const void *first, size_t nfirst, gss_buffer_t rest)
{
	unsigned char head[16];
	uint32_t m = htonl(maj);

	memcpy(head, &m, 4);
	if (GSS_ERROR(maj)) {
		put(head, 4, NULL, 0);
		return;
	}
	if (nfirst)
		memcpy(head + 4, first, nfirst);
	put(head, 4 + nfirst, rest ? rest->value : NULL, rest ? rest->length : 0);
}

static void obey(gss_ctx_id_t ctx, unsigned char *c, size_t n)
{
	OM_uint32 maj, min, limit;
	gss_buffer_desc in = {n - 1, c + 1}, in2, out = GSS_C_EMPTY_BUFFER;
	unsigned char conf;
	int state;

	switch (c[0]) {
	case 'w':
	case 'i':
		maj = gss_wrap(&min, ctx, c[0] == 'w', GSS_C_QOP_DEFAULT, &in, &state, &out);
		answer(maj, NULL, 0, &out);
		break;
	case 'm':
		maj = gss_get_mic(&min, ctx, GSS_C_QOP_DEFAULT, &in, &out);
		answer(maj, NULL, 0, &out);
		break;
	case 'u':
		maj = gss_unwrap(&min, ctx, &in, &out, &state, NULL);
		conf = !!state;
		answer(maj, &conf, 1, &out);
		break;
	case 'v':
		if (n < 5 || be32(c + 1) > n - 5)
			exit(3);
		in.value = c + 5;
		in.length = be32(c + 1);
		in2.value = c + 5 + in.length;
		in2.length = n - 5 - in.length;
		answer(gss_verify_mic(&min, ctx, &in, &in2, NULL), NULL, 0, NULL);
		break;
	case 'l':
		if (n != 6)
			exit(3);
		maj = gss_wrap_size_limit(&min, ctx, c[1], GSS_C_QOP_DEFAULT, be32(c + 2), &limit);
		limit = htonl(limit);
		answer(maj, &limit, 4, NULL);
		break;
#ifndef HEIMDAL
	case 'p':
		if (n < 6)
			exit(3);
		in.value = c + 6;
		in.length = n - 6;
		maj = gss_pseudo_random(&min, ctx, c[1] ? GSS_C_PRF_KEY_FULL : GSS_C_PRF_KEY_PARTIAL,
					&in, be32(c + 2), &out);
		answer(maj, NULL, 0, &out);
		break;
#endif
	default:
		exit(3);
	}
	gss_release_buffer(&min, &out);
}

/* serve obeys commands until there are no more. */
static int serve(gss_ctx_id_t ctx)
{
	for (;;) {
		gss_buffer_desc c = get();
		if (c.length == 0)
			return 3;
		obey(ctx, c.value, c.length);
		free(c.value);
	}
}
