/*
 * othermech: a mechanism for MIT's libgssapi that can only begin. With it in the
 * file that GSS_MECH_CONFIG names, a program has something to offer before
 * Kerberos that no acceptor takes.
 */
#include <stdlib.h>
#include <string.h>
#include <gssapi/gssapi.h>

/* The one token there is, which says nothing to anybody. */
static const char token[] = "hello";

static void *something(void) { return malloc(1); }

OM_uint32 gss_acquire_cred(OM_uint32 *minor, gss_name_t name, OM_uint32 time, gss_OID_set mechs, gss_cred_usage_t usage,
			      gss_cred_id_t *cred, gss_OID_set *actual, OM_uint32 *rec)
{
	(void)name, (void)time, (void)mechs;
	*minor = 0;
	if (usage == GSS_C_ACCEPT)
		return GSS_S_NO_CRED;
	if (actual)
		*actual = GSS_C_NO_OID_SET;
	if (rec)
		*rec = GSS_C_INDEFINITE;
	*cred = something();
	return GSS_S_COMPLETE;
}

OM_uint32 gss_inquire_cred(OM_uint32 *minor, gss_cred_id_t cred, gss_name_t *name, OM_uint32 *life, int *usage, gss_OID_set *mechs)
{
	(void)cred;
	*minor = 0;
	if (name)
		*name = GSS_C_NO_NAME;
	if (life)
		*life = GSS_C_INDEFINITE;
	if (usage)
		*usage = GSS_C_INITIATE;
	if (mechs)
		*mechs = GSS_C_NO_OID_SET;
	return GSS_S_COMPLETE;
}

OM_uint32 gss_release_cred(OM_uint32 *minor, gss_cred_id_t *cred)
{
	*minor = 0;
	free(*cred);
	*cred = GSS_C_NO_CREDENTIAL;
	return GSS_S_COMPLETE;
}

OM_uint32 gss_import_name(OM_uint32 *minor, gss_buffer_t text, gss_OID type, gss_name_t *name)
{
	(void)text, (void)type;
	*minor = 0;
	*name = something();
	return GSS_S_COMPLETE;
}

OM_uint32 gss_release_name(OM_uint32 *minor, gss_name_t *name)
{
	*minor = 0;
	free(*name);
	*name = GSS_C_NO_NAME;
	return GSS_S_COMPLETE;
}

OM_uint32 gss_init_sec_context(OM_uint32 *minor, gss_cred_id_t cred, gss_ctx_id_t *ctx, gss_name_t target, gss_OID mech,
				  OM_uint32 flags, OM_uint32 time, gss_channel_bindings_t cb, gss_buffer_t in,
				  gss_OID *actual, gss_buffer_t out, OM_uint32 *ret, OM_uint32 *rec)
{
	(void)cred, (void)target, (void)flags, (void)time, (void)cb;
	*minor = 0;
	if (in && in->length)
		return GSS_S_DEFECTIVE_TOKEN;
	if (actual)
		*actual = mech;
	if (ret)
		*ret = GSS_C_INTEG_FLAG;
	if (rec)
		*rec = GSS_C_INDEFINITE;
	out->length = strlen(token);
	out->value = strdup(token);
	*ctx = something();
	return GSS_S_CONTINUE_NEEDED;
}

OM_uint32 gss_delete_sec_context(OM_uint32 *minor, gss_ctx_id_t *ctx, gss_buffer_t out)
{
	*minor = 0;
	if (out)
		out->length = 0, out->value = NULL;
	free(*ctx);
	*ctx = GSS_C_NO_CONTEXT;
	return GSS_S_COMPLETE;
}
