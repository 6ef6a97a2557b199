package gssapi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
)

var quoted = regexp.MustCompile("`([^`\n]+)`")

// testFunctions returns the tests in the files that match.
func testFunctions(t *testing.T, pattern string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := make(map[string]bool)
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil && strings.HasPrefix(d.Name.Name, "Test") && d.Name.Name != "TestMain" {
				all[d.Name.Name] = true
			}
		}
	}
	return all
}

// The page on interoperation names the tests that there are, and all of them.
func TestInteropPage(t *testing.T) {
	page, err := os.ReadFile("docs/interop.md")
	require.NoError(t, err)
	exist := testFunctions(t, "interop/*_test.go")
	name := regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")
	named := make(map[string]bool)
	for _, m := range name.FindAllStringSubmatch(string(page), -1) {
		named[m[1]] = true
		if !exist[m[1]] {
			t.Errorf("there is no %s", m[1])
		}
	}
	for name := range exist {
		if !named[name] {
			t.Errorf("%s is not on the page", name)
		}
	}
}

// pages returns the documents for readers.
func pages(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	return append(list, "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
}

func isPackage(dir string) bool {
	files, _ := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*.go"))
	return len(files) > 0
}

// What documents quote as a symbol, as a package or as a place in this
// repository exists.
func TestDocsNameWhatExists(t *testing.T) {
	symbols := exported(t)
	packages := make(map[string]bool)
	for s := range symbols {
		pkg, _, _ := strings.Cut(s, ".")
		packages[pkg] = true
	}
	symbol := regexp.MustCompile(`^([a-z0-9]+)\.([A-Z]\w*)(\.[A-Z]\w*)?$`)
	path := regexp.MustCompile(`^[a-z0-9.]+(/[A-Za-z0-9_.*-]+)+$`)
	link := regexp.MustCompile(`\]\(([^)#]+)`)
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range quoted.FindAllStringSubmatch(string(text), -1) {
			if s := symbol.FindStringSubmatch(m[1]); s != nil && packages[s[1]] {
				// Of a field the type is looked for: fields have no entry.
				if !symbols[m[1]] && !symbols[s[1]+"."+s[2]] {
					t.Errorf("%s: there is no %s", page, m[1])
				}
			} else if top, _, _ := strings.Cut(m[1], "/"); path.MatchString(m[1]) && isDir(top) {
				found, err := filepath.Glob(strings.TrimSuffix(m[1], "/"))
				if err != nil || len(found) == 0 {
					t.Errorf("%s: there is no %s", page, m[1])
				}
			}
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

func isDir(path string) bool {
	i, err := os.Stat(path)
	return err == nil && i.IsDir()
}

// What is said to be done is said to be somewhere: each package named on the
// page of RFCs exists.
func TestRFCPage(t *testing.T) {
	page, err := os.ReadFile("docs/rfc-coverage.md")
	require.NoError(t, err)
	row := regexp.MustCompile(`(?m)^\|(.*)\| (done|refused|not yet|n/a) \|(.*)\|$`)
	dir := regexp.MustCompile(`^[a-z0-9]+(/[a-z0-9]+)*$`)
	clauses := map[string]bool{"gsserr": true, "secctx": true}
	rows := row.FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(rows), 100)
	for _, r := range rows {
		for _, m := range quoted.FindAllStringSubmatch(r[3], -1) {
			if dir.MatchString(m[1]) && !clauses[m[1]] && !isPackage(m[1]) {
				t.Errorf("%s: there is no package %s", strings.TrimSpace(r[1]), m[1])
			}
		}
	}
	lines := regexp.MustCompile(`(?m)^\| .*\|$`).FindAllString(string(page), -1)
	for _, l := range lines {
		if !row.MatchString(l) && !regexp.MustCompile(`^\| (section|RFC|document) \|`).MatchString(l) {
			t.Errorf("neither done, refused, not yet nor n/a: %s", l)
		}
	}
}

// Each package that programs import shows how.
func TestPackagesHaveExamples(t *testing.T) {
	has := make(map[string]bool)
	for _, s := range sources(t) {
		public := s.file.Name.Name != "main" && !strings.Contains("/"+s.dir+"/", "/internal/")
		if !public {
			continue
		}
		has[s.dir] = has[s.dir] || false
		for _, d := range s.file.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && s.isTest() && strings.HasPrefix(d.Name.Name, "Example") {
				has[s.dir] = true
			}
		}
	}
	for dir, ok := range has {
		if !ok {
			t.Errorf("no example in %q", dir)
		}
	}
}

// The tables of errors have the numbers of the code, and all of the constants.
func TestErrorsPage(t *testing.T) {
	page, err := os.ReadFile("docs/errors.md")
	require.NoError(t, err)
	symbols := exported(t)

	row := regexp.MustCompile("(?m)^\\| `gssapi\\.(Err\\w+)` \\| `(\\w+)` \\| ([^|]+) \\| (0x[0-9a-f]{8}) \\|$")
	listed := map[string]bool{"ErrOutOfSequence": true, "ErrSupplementary": true} // for errors.Is alone
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		listed[m[1]] = true
		require.Contains(t, strings.Fields(pythonAPI), m[2])
		value, err := strconv.ParseUint(m[4], 0, 32)
		require.NoError(t, err)
		require.Equal(t, majors[m[1]], gssapi.Major(value), m[1])
	}
	for name := range symbols {
		if name, ok := strings.CutPrefix(name, "gssapi.Err"); ok && name != "or" {
			require.True(t, listed["Err"+name], "Err%s is not on the page", name)
		}
	}

	row = regexp.MustCompile("(?m)^\\| `krb5\\.(Err\\w+)` \\| (\\w+) \\| (-\\d+) \\|")
	found := 0
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		found++
		value, err := strconv.ParseInt(m[3], 10, 32)
		require.NoError(t, err)
		require.Equal(t, codes[m[1]], krb5.Code(value), m[1])
		require.Equal(t, m[2], krb5.Code(value).Name(), m[1])
	}
	for name := range symbols {
		if strings.HasPrefix(name, "krb5.Err") {
			found--
		}
	}
	require.Zero(t, found, "not every code of package krb5 is on the page")
}

var majors = map[string]gssapi.Major{
	"ErrInaccessibleRead": gssapi.ErrInaccessibleRead, "ErrInaccessibleWrite": gssapi.ErrInaccessibleWrite, "ErrBadStructure": gssapi.ErrBadStructure,
	"ErrBadMech": gssapi.ErrBadMech, "ErrBadName": gssapi.ErrBadName, "ErrBadNameType": gssapi.ErrBadNameType, "ErrBadBindings": gssapi.ErrBadBindings,
	"ErrBadStatus": gssapi.ErrBadStatus, "ErrBadMIC": gssapi.ErrBadMIC, "ErrNoCred": gssapi.ErrNoCred, "ErrNoContext": gssapi.ErrNoContext,
	"ErrDefectiveToken": gssapi.ErrDefectiveToken, "ErrDefectiveCredential": gssapi.ErrDefectiveCredential,
	"ErrCredentialsExpired": gssapi.ErrCredentialsExpired, "ErrContextExpired": gssapi.ErrContextExpired, "ErrFailure": gssapi.ErrFailure,
	"ErrBadQOP": gssapi.ErrBadQOP, "ErrUnauthorized": gssapi.ErrUnauthorized, "ErrUnavailable": gssapi.ErrUnavailable,
	"ErrDuplicateElement": gssapi.ErrDuplicateElement, "ErrNameNotMN": gssapi.ErrNameNotMN, "ErrBadMechAttr": gssapi.ErrBadMechAttr,
	"ErrDuplicateToken": gssapi.ErrDuplicateToken, "ErrOldToken": gssapi.ErrOldToken, "ErrUnseqToken": gssapi.ErrUnseqToken, "ErrGapToken": gssapi.ErrGapToken,
}

var codes = map[string]krb5.Code{
	"ErrClientUnknown": krb5.ErrClientUnknown, "ErrServerUnknown": krb5.ErrServerUnknown, "ErrBadOption": krb5.ErrBadOption,
	"ErrClientRevoked": krb5.ErrClientRevoked, "ErrKeyExpired": krb5.ErrKeyExpired, "ErrPreauthFailed": krb5.ErrPreauthFailed,
	"ErrFASTRequired": krb5.ErrFASTRequired, "ErrEtypeNosupp": krb5.ErrEtypeNosupp, "ErrAPBadIntegrity": krb5.ErrAPBadIntegrity,
	"ErrAPTktExpired": krb5.ErrAPTktExpired, "ErrAPTktNYV": krb5.ErrAPTktNYV, "ErrAPRepeat": krb5.ErrAPRepeat, "ErrAPNotUs": krb5.ErrAPNotUs,
	"ErrAPBadMatch": krb5.ErrAPBadMatch, "ErrAPSkew": krb5.ErrAPSkew, "ErrAPBadKeyVer": krb5.ErrAPBadKeyVer, "ErrAPNoKey": krb5.ErrAPNoKey,
	"ErrMutualFailed": krb5.ErrMutualFailed, "ErrKDCUnreach": krb5.ErrKDCUnreach, "ErrRealmUnknown": krb5.ErrRealmUnknown,
	"ErrNoDefaultRealm": krb5.ErrNoDefaultRealm, "ErrCCNotFound": krb5.ErrCCNotFound, "ErrKeytabNotFound": krb5.ErrKeytabNotFound,
	"ErrCCUnknownType": krb5.ErrCCUnknownType, "ErrBadEnctype": krb5.ErrBadEnctype,
}
