/*
 * krb5conf: what MIT's libkrb5 makes of a configuration.
 *
 * Each line of standard input is a question, whose words are separated by tabs,
 * and is answered by one line of output:
 *
 *   realm                          the default realm
 *   host NAME                      the realm of a host
 *   local PRINCIPAL                the local user that it maps to
 *   gss PRINCIPAL                  the same, by gss_localname
 *   userok PRINCIPAL USER          "yes" or "no"
 *   app APPLICATION REALM OPTION   what appdefaults says
 *
 * An answer that there is not is "-", or "- bad" if the configuration is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <krb5.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

static krb5_context ctx;

static void answer(krb5_error_code ret, const char *text)
{
	if (ret == KRB5_CONFIG_BADFORMAT)
		puts("- bad");
	else
		puts(ret || !text || !*text ? "-" : text);
}

static krb5_principal parse(const char *text)
{
	krb5_principal p;

	if (krb5_parse_name(ctx, text, &p)) {
		fprintf(stderr, "no principal: %s\n", text);
		exit(2);
	}
	return p;
}

static void local(const char *text)
{
	krb5_principal p = parse(text);
	char user[1024];

	answer(krb5_aname_to_localname(ctx, p, sizeof user, user), user);
	krb5_free_principal(ctx, p);
}

static void gss_local(const char *text)
{
	OM_uint32 maj, min;
	gss_buffer_desc b = {strlen(text), (void *)text}, out = GSS_C_EMPTY_BUFFER;
	gss_name_t n, mn;
	char user[1024];

	maj = gss_import_name(&min, &b, (gss_OID)GSS_KRB5_NT_PRINCIPAL_NAME, &n);
	if (maj == GSS_S_COMPLETE)
		maj = gss_canonicalize_name(&min, n, (gss_OID)gss_mech_krb5, &mn);
	if (maj == GSS_S_COMPLETE)
		maj = gss_localname(&min, mn, (gss_OID)gss_mech_krb5, &out);
	snprintf(user, sizeof user, "%.*s", (int)out.length, (char *)out.value);
	answer(maj != GSS_S_COMPLETE, user);
}

static void userok(const char *text, const char *user)
{
	krb5_principal p = parse(text);

	puts(krb5_kuserok(ctx, p, user) ? "yes" : "no");
	krb5_free_principal(ctx, p);
}

static void host(const char *name)
{
	char **realms;
	krb5_error_code ret = krb5_get_host_realm(ctx, name, &realms);

	answer(ret, ret ? NULL : realms[0]);
	if (!ret)
		krb5_free_host_realm(ctx, realms);
}

static void app(const char *application, const char *realm, const char *option)
{
	krb5_data r = {0, strlen(realm), (char *)realm};
	char *value;

	krb5_appdefault_string(ctx, application, *realm ? &r : NULL, option, "", &value);
	answer(0, value);
	free(value);
}

int main(void)
{
	char line[8192], *w[4];
	krb5_error_code ret = krb5_init_context(&ctx);

	if (ret) {
		fprintf(stderr, "krb5_init_context: %ld\n", (long)ret);
		return 1;
	}
	while (fgets(line, sizeof line, stdin)) {
		int n = 0;
		char *rest = line;

		line[strcspn(line, "\n")] = 0;
		while (n < 4 && (w[n] = strsep(&rest, "\t")))
			n++;
		if (n == 1 && !strcmp(w[0], "realm")) {
			char *realm = NULL;
			ret = krb5_get_default_realm(ctx, &realm);
			answer(ret, realm);
		} else if (n == 2 && !strcmp(w[0], "host")) {
			host(w[1]);
		} else if (n == 2 && !strcmp(w[0], "local")) {
			local(w[1]);
		} else if (n == 2 && !strcmp(w[0], "gss")) {
			gss_local(w[1]);
		} else if (n == 3 && !strcmp(w[0], "userok")) {
			userok(w[1], w[2]);
		} else if (n == 4 && !strcmp(w[0], "app")) {
			app(w[1], w[2], w[3]);
		} else {
			return 2;
		}
	}
	return 0;
}
