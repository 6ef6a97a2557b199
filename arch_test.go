package gssapi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/gss-go/gssapi"

// allowed says which packages of this module each package may import. A folder
// speaks for those below it that have no line of their own. It is the figure
// of docs/architecture.md.
var allowed = map[string][]string{
	"oid":           {},
	"iov":           {},
	"errors":        {"oid"},
	"mech":          {"oid", "iov", "errors"},
	"mech/mechtest": {"mech", "oid", "iov", "errors"},
	"names":         {"mech", "oid", "errors"},
	"creds":         {"names", "mech", "oid", "errors"},
	"context":       {"creds", "names", "mech", "iov", "oid", "errors"},
	"krb5":          {"mech", "oid", "iov", "errors", "krb5/"},
	"krb5/kkdcp":    {"krb5"},
	"krb5/conf":     {"krb5/internal/etype", "krb5/internal/krberr"},
	"krb5/keytab":   {"krb5/conf", "krb5/internal/etype", "krb5/internal/krberr", "krb5/internal/principal", "krb5/internal/secret", "krb5/internal/fileio"},
	"krb5/ccache":   {"krb5/conf", "krb5/internal/etype", "krb5/internal/krberr", "krb5/internal/principal", "krb5/internal/secret", "krb5/internal/fileio"},
	"krb5/internal": {"mech", "oid", "iov", "errors", "krb5/conf", "krb5/keytab", "krb5/ccache", "krb5/internal/"},
	"spnego":        {"mech", "oid", "iov", "errors"},
	"":              {"context", "creds", "names", "mech", "oid", "errors", "krb5", "spnego"},
	"testenv":       {"", "context", "creds", "names", "mech", "oid", "errors", "krb5", "krb5/", "spnego"},
	"adapters":      {"", "oid", "iov", "mech", "errors", "krb5", "krb5/ccache", "spnego"},
	"examples":      {"*"},
}

// outside says which modules each folder may import besides the standard
// library.
var outside = map[string][]string{
	"":                    {},
	"mech":                {"golang.org/x/crypto/cryptobyte"},
	"krb5":                {"golang.org/x/crypto", "golang.org/x/sys"},
	"krb5/internal/spake": {"golang.org/x/crypto", "filippo.io/nistec", "filippo.io/edwards25519"},
	"spnego":              {"golang.org/x/crypto/cryptobyte"},
	"testenv":             {"github.com/jcmturner/gokrb5/v8", "github.com/jcmturner/gofork", "golang.org/x/crypto"},
}

// secretRooms are the packages that compare what an attacker sends with what
// only the key holder can compute.
var secretRooms = []string{
	"krb5/internal/apreq", "krb5/internal/cfx", "krb5/internal/v1", "krb5/internal/enctype",
	"krb5/internal/kdcclient", "krb5/internal/pac", "krb5/internal/pkinit", "krb5/internal/spake", "spnego",
}

// lookup returns the entry of the nearest folder that has one.
func lookup[V any](table map[string]V, dir string) (v V) {
	for {
		if v, ok := table[dir]; ok {
			return v
		}
		if dir == "" {
			return v
		}
		if dir, _ = filepath.Split(dir); dir != "" {
			dir = strings.TrimSuffix(dir, "/")
		}
	}
}

type source struct {
	path, dir string
	file      *ast.File
	fset      *token.FileSet
}

// sources parses the files of this module: nested modules and testdata are not
// part of it.
func sources(t *testing.T) []source {
	t.Helper()
	var list []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != "." {
				if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") {
					return filepath.SkipDir
				}
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		if dir == "." {
			dir = ""
		}
		list = append(list, source{filepath.ToSlash(path), dir, f, fset})
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, list)
	return list
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s source) imports() []string {
	var list []string
	for _, i := range s.file.Imports {
		list = append(list, strings.Trim(i.Path.Value, `"`))
	}
	return list
}

func within(path string, list []string) bool {
	return slices.ContainsFunc(list, func(a string) bool {
		return a == "*" || path == a || strings.HasPrefix(path, strings.TrimSuffix(a, "/")+"/") && (strings.HasSuffix(a, "/") || strings.Contains(a, "."))
	})
}

// The packages depend on each other in one direction only.
func TestDependencyOrder(t *testing.T) {
	for _, s := range sources(t) {
		for _, imp := range s.imports() {
			rel, ours := strings.CutPrefix(imp, module)
			rel = strings.TrimPrefix(rel, "/")
			first, _, _ := strings.Cut(imp, "/")
			switch {
			case ours && s.isTest(), ours && rel == s.dir:
			case ours:
				require.True(t, within(rel, lookup(allowed, s.dir)), "%s must not import %s", s.path, imp)
			case imp == "C" || imp == "unsafe":
				t.Errorf("%s imports %q", s.path, imp)
			case imp == "net/http":
				require.True(t, s.isTest() || strings.HasPrefix(s.dir, "adapters") || s.dir == "krb5/kkdcp" || strings.HasPrefix(s.dir, "examples"), "%s imports net/http", s.path)
			case !strings.Contains(first, "."), s.isTest(), strings.HasPrefix(s.dir, "examples"):
			default:
				require.True(t, within(imp, lookup(outside, s.dir)), "%s must not import %s", s.path, imp)
			}
		}
	}
}

// gokrb5 and testify do not reach programs that use the library, and gokrb5's
// upper layers do not even reach the tests of ours.
func TestForeignCodeStaysOutside(t *testing.T) {
	for _, s := range sources(t) {
		for _, imp := range s.imports() {
			gokrb5 := strings.HasPrefix(imp, "github.com/jcmturner/")
			require.False(t, gokrb5 && !s.isTest() && s.dir != "testenv", "%s imports %s", s.path, imp)
			require.False(t, strings.HasPrefix(imp, "github.com/stretchr/") && !s.isTest(), "%s imports %s", s.path, imp)
			require.False(t, strings.HasSuffix(imp, "testify/assert") || strings.HasSuffix(imp, "testify/mock") || strings.HasSuffix(imp, "testify/suite"), "%s imports %s", s.path, imp)
			require.False(t, imp == module+"/testenv" && !s.isTest() && !strings.HasPrefix(s.dir, "examples") && !strings.HasPrefix(s.dir, "cmd"), "%s imports testenv", s.path)
		}
	}
}

// Where an attacker's bytes meet secrets, comparisons take constant time.
func TestConstantTimeComparisons(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || !slices.Contains(secretRooms, s.dir) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); ok {
				if pkg, ok := f.X.(*ast.Ident); ok && pkg.Name == "bytes" && (f.Sel.Name == "Equal" || f.Sel.Name == "Compare") {
					t.Errorf("%s: bytes.%s", s.fset.Position(call.Pos()), f.Sel.Name)
				}
			}
			return true
		})
	}
}

// Assembler is for the kernels that are worth it.
func TestAssemblerStaysInItsRoom(t *testing.T) {
	require.NoError(t, filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".s" {
			require.Contains(t, []string{"krb5/internal/aescbc", "krb5/internal/hmacsha"}, filepath.ToSlash(filepath.Dir(path)))
		}
		return err
	}))
}

// A package clause that hides one of the standard library's would make users
// rename it; every exported symbol says what it is for.
func TestPackagesAreDocumented(t *testing.T) {
	docs := make(map[string]bool)
	for _, s := range sources(t) {
		if !s.isTest() {
			docs[s.dir] = docs[s.dir] || s.file.Doc != nil
		}
	}
	for dir, ok := range docs {
		require.True(t, ok, "package in %q has no package comment", dir)
	}
}

func TestExportedSymbolsAreDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && (d.Recv == nil || exportedReceiver(d)) && d.Doc == nil {
					t.Errorf("%s: %s has no comment", s.fset.Position(d.Pos()), d.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.IsExported() && d.Doc == nil && ts.Doc == nil {
						t.Errorf("%s: type %s has no comment", s.fset.Position(ts.Pos()), ts.Name)
					}
				}
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}
