package gssapi_test

import (
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pythonAPI is what python-gssapi's low-level API consists of: functions, types,
// results and exceptions.
const pythonAPI = `
import_name display_name compare_name export_name canonicalize_name
acquire_cred release_cred add_cred inquire_cred inquire_cred_by_mech
init_sec_context accept_sec_context inquire_context context_time process_context_token import_sec_context export_sec_context delete_sec_context
get_mic verify_mic wrap_size_limit wrap unwrap
indicate_mechs inquire_names_for_mech inquire_mechs_for_name
set_neg_mechs indicate_mechs_by_attrs inquire_attrs_for_mech display_mech_attr
store_cred store_cred_into acquire_cred_from add_cred_from
inquire_saslname_for_mech display_name_ext inquire_name set_name_attribute get_name_attribute delete_name_attribute export_name_composite
export_cred import_cred acquire_cred_with_password add_cred_with_password
wrap_iov unwrap_iov wrap_iov_length wrap_aead unwrap_aead get_mic_iov get_mic_iov_length verify_mic_iov
inquire_cred_by_oid inquire_sec_context_by_oid set_cred_option set_sec_context_option
krb5_ccache_name krb5_export_lucid_sec_context krb5_extract_authtime_from_sec_context krb5_extract_authz_data_from_sec_context
krb5_import_cred krb5_get_tkt_flags krb5_set_allowable_enctypes
acquire_cred_impersonate_name add_cred_impersonate_name
OID MechType NameType RequirementFlag AddressType GenericFlagSet IntEnumFlagSet ChannelBindings IOVBufferType IOVBuffer IOV
Krb5LucidContext Krb5LucidContextV1 Rfc1964KeyData CfxKeyData
AcquireCredResult InquireCredResult InquireCredByMechResult AddCredResult DisplayNameResult WrapResult UnwrapResult AcceptSecContextResult
InitSecContextResult InquireContextResult StoreCredResult IOVUnwrapResult InquireNameResult GetNameAttributeResult InquireAttrsResult
DisplayAttrResult InquireSASLNameResult
GSSError ParameterReadError ParameterWriteError MalformedParameterError BadMechanismError BadNameError BadNameTypeError
BadChannelBindingsError BadStatusError BadMICError MissingCredentialsError MissingContextError InvalidTokenError InvalidCredentialsError
ExpiredCredentialsError ExpiredContextError BadQoPError UnauthorizedError OperationUnavailableError DuplicateCredentialsElementError
MechanismNameRequiredError NameReadError NameTypeReadError TokenReadError SupplementaryError DuplicateTokenError ExpiredTokenError
TokenOutOfSequenceError TokenTooLateError TokenTooEarlyError
`

// exported returns the exported symbols of this module: "package.Symbol", and
// methods as "package.Type.Method".
func exported(t *testing.T) map[string]bool {
	t.Helper()
	all := make(map[string]bool)
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		pkg := s.file.Name.Name + "."
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					all[pkg+d.Name.Name] = true
					continue
				}
				typ := d.Recv.List[0].Type
				if star, ok := typ.(*ast.StarExpr); ok {
					typ = star.X
				}
				if id, ok := typ.(*ast.Ident); ok {
					all[pkg+id.Name+"."+d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						all[pkg+spec.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range spec.Names {
							all[pkg+n.Name] = true
						}
					}
				}
			}
		}
	}
	return all
}

// frontPackages are where the methods of the root's types are declared.
var frontPackages = map[string]string{"Name": "names", "Cred": "creds", "SecContext": "secctx"}

// Every call of python-gssapi has a counterpart that exists.
func TestPythonParity(t *testing.T) {
	page, err := os.ReadFile("docs/python-gssapi.md")
	require.NoError(t, err)
	row := regexp.MustCompile("(?m)^\\| `([A-Za-z0-9_]+)` \\|([^|]*)\\|")
	symbol := regexp.MustCompile("`([A-Za-z0-9_.]+)`")
	symbols := exported(t)
	listed := make(map[string]bool)
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		listed[m[1]] = true
		for _, s := range symbol.FindAllStringSubmatch(m[2], -1) {
			name := s[1]
			if typ, _, ok := strings.Cut(name, "."); ok && frontPackages[typ] != "" {
				name = frontPackages[typ] + "." + name
			}
			require.True(t, symbols[name], "%s: there is no %s", m[1], s[1])
		}
	}
	for _, name := range strings.Fields(pythonAPI) {
		require.True(t, listed[name], "%s is not on the page", name)
	}
}

// go doc shows no methods of an alias: the package comment lists them all.
func TestRootDocListsMethods(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	for name := range exported(t) {
		pkg, method, _ := strings.Cut(name, ".")
		typ, method, ok := strings.Cut(method, ".")
		if ok && frontPackages[typ] == pkg && ast.IsExported(method) {
			require.Contains(t, string(doc), "["+name+"]")
		}
	}
}
