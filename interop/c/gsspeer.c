/*
 * gsspeer: one side of a security context on MIT's libgssapi, driven over
 * stdin and stdout by a test.
 *
 *   gsspeer initiate service=host@localhost [flags=HEX] [bindings=TEXT]
 *   gsspeer accept   [service=host@localhost] [bindings=TEXT] [store=CCACHE] [usage=both]
 *
 * store names the credential cache that gets a delegated credential. With usage
 * the acceptor can initiate too, and acts for who delegates nothing (S4U2Proxy).
 *
 * Frames and commands are those of peer.h.
 */
#include "peer.h"

static gss_OID_desc krb5 = {9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};

static void report(gss_ctx_id_t ctx, OM_uint32 flags)
{
	OM_uint32 maj, min, life;
	gss_name_t src, targ;
	gss_OID mech;
	gss_buffer_desc oid;
	int local, open;
	char s[512], t[512], text[2048];

	maj = gss_inquire_context(&min, ctx, &src, &targ, &life, &mech, NULL, &local, &open);
	check("inquire_context", maj, min);
	display(src, s, sizeof s);
	display(targ, t, sizeof t);
	maj = gss_oid_to_str(&min, mech, &oid);
	check("oid_to_str", maj, min);
	snprintf(text, sizeof text, "initiator=%s\nacceptor=%s\nflags=%x\nlifetime=%u\nlocal=%d\nopen=%d\nmech=%.*s\n",
		 s, t, flags, life, local, open, (int)oid.length, (char *)oid.value);
	put("O", 1, text, strlen(text));
}

static gss_ctx_id_t initiate(gss_name_t target, OM_uint32 want, gss_channel_bindings_t cb)
{
	OM_uint32 maj, min, flags;
	gss_ctx_id_t ctx = GSS_C_NO_CONTEXT;
	gss_buffer_desc in = GSS_C_EMPTY_BUFFER, out;

	for (;;) {
		maj = gss_init_sec_context(&min, GSS_C_NO_CREDENTIAL, &ctx, target, &krb5, want, 0, cb,
					   &in, NULL, &out, &flags, NULL);
		if (out.length)
			put("T", 1, out.value, out.length);
		gss_release_buffer(&min, &out);
		check("init_sec_context", maj, min);
		if (maj == GSS_S_COMPLETE)
			break;
		free(in.value);
		in = get();
	}
	report(ctx, flags);
	return ctx;
}

static void keep(gss_cred_id_t cred, const char *ccache)
{
	OM_uint32 maj, min;
	gss_key_value_element_desc where = {"ccache", ccache};
	gss_key_value_set_desc store = {1, &where};

	maj = gss_store_cred_into(&min, cred, GSS_C_INITIATE, &krb5, 1, 1, &store, NULL, NULL);
	check("store_cred_into", maj, min);
}

static gss_ctx_id_t accept_(gss_name_t self, gss_channel_bindings_t cb, const char *store, gss_cred_usage_t usage)
{
	OM_uint32 maj, min, min2, flags;
	gss_ctx_id_t ctx = GSS_C_NO_CONTEXT;
	gss_cred_id_t cred = GSS_C_NO_CREDENTIAL, deleg = GSS_C_NO_CREDENTIAL;

	maj = gss_acquire_cred(&min, self, GSS_C_INDEFINITE, GSS_C_NO_OID_SET, usage, &cred, NULL, NULL);
	check("acquire_cred", maj, min);
	do {
		gss_buffer_desc in = get(), out = GSS_C_EMPTY_BUFFER;
		maj = gss_accept_sec_context(&min, &ctx, cred, &in, cb, NULL, NULL, &out, &flags, NULL, &deleg);
		if (out.length)
			put("T", 1, out.value, out.length);
		gss_release_buffer(&min2, &out);
		free(in.value);
		check("accept_sec_context", maj, min);
	} while (maj != GSS_S_COMPLETE);
	if (store && deleg != GSS_C_NO_CREDENTIAL)
		keep(deleg, store);
	report(ctx, flags);
	return ctx;
}

int main(int argc, char **argv)
{
	OM_uint32 maj, min, flags = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG;
	struct gss_channel_bindings_struct cb = {0};
	gss_channel_bindings_t cbp = GSS_C_NO_CHANNEL_BINDINGS;
	gss_name_t name = GSS_C_NO_NAME;
	const char *store = NULL;
	gss_cred_usage_t usage = GSS_C_ACCEPT;
	gss_ctx_id_t ctx;

	status_mech = &krb5;
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
		} else if (!strcmp(argv[i], "bindings")) {
			cb.application_data.value = v;
			cb.application_data.length = strlen(v);
			cbp = &cb;
		} else if (!strcmp(argv[i], "store")) {
			store = v;
		} else if (!strcmp(argv[i], "usage") && !strcmp(v, "both")) {
			usage = GSS_C_BOTH;
		} else {
			return 2;
		}
	}
	if (argc > 1 && !strcmp(argv[1], "initiate"))
		ctx = initiate(name, flags, cbp);
	else if (argc > 1 && !strcmp(argv[1], "accept"))
		ctx = accept_(name, cbp, store, usage);
	else
		return 2;
	return serve(ctx);
}
