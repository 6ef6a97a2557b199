package gssapi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
