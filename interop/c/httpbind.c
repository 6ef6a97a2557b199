/*
 * httpbind: accepts one context with channel bindings on MIT's libgssapi.
 *
 *   httpbind HEX|none <token >reply
 *
 * HEX is the application data of the bindings. stdin has the initiator's token,
 * whole; the context must be complete with it. stdout gets the reply. stderr gets
 * a line "NAME FLAGS", the flags in hexadecimal, or, with exit status 1, what went
 * wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gssapi/gssapi.h>

static void fail(OM_uint32 code, int type)
{
	OM_uint32 min, more = 0;
	gss_buffer_desc text;

	do {
		gss_display_status(&min, code, type, GSS_C_NO_OID, &more, &text);
		fprintf(stderr, "%.*s; ", (int)text.length, (char *)text.value);
		gss_release_buffer(&min, &text);
	} while (more);
}

int main(int argc, char **argv)
{
	static unsigned char token[1 << 16], data[1 << 10];
	struct gss_channel_bindings_struct cb = {0};
	gss_buffer_desc in = {0, token}, out = GSS_C_EMPTY_BUFFER, text;
	gss_ctx_id_t ctx = GSS_C_NO_CONTEXT;
	gss_name_t peer;
	OM_uint32 maj, min, flags;
	size_t n;

	if (argc != 2)
		return 2;
	if (strcmp(argv[1], "none")) {
		for (n = 0; argv[1][2 * n] && n < sizeof data; n++)
			if (sscanf(argv[1] + 2 * n, "%2hhx", &data[n]) != 1)
				return 2;
		cb.application_data.value = data;
		cb.application_data.length = n;
	}
	in.length = fread(token, 1, sizeof token, stdin);
	maj = gss_accept_sec_context(&min, &ctx, GSS_C_NO_CREDENTIAL, &in,
				     cb.application_data.length ? &cb : GSS_C_NO_CHANNEL_BINDINGS,
				     &peer, NULL, &out, &flags, NULL, NULL);
	if (maj != GSS_S_COMPLETE) {
		fail(maj, GSS_C_GSS_CODE);
		fail(min, GSS_C_MECH_CODE);
		return 1;
	}
	if (gss_display_name(&min, peer, &text, NULL) != GSS_S_COMPLETE)
		return 1;
	fprintf(stderr, "%.*s %x\n", (int)text.length, (char *)text.value, flags);
	return fwrite(out.value, 1, out.length, stdout) == out.length ? 0 : 1;
}
