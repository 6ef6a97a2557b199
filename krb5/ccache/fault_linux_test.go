package ccache_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// A file that ends in half an entry keeps the entries before it, and what is
// added takes the place of the half.
func TestTorn(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "cc")
	c := ccache.NewFile(path)
	for _, version := range []string{"v4.txt", "v3.txt"} {
		whole := golden(t, version)
		all, err := ccache.ParseFile(whole)
		require.NoError(t, err)
		seen := map[int]bool{}
		for cut := range whole {
			want, end, err := ccache.ParseTorn(whole[:cut])
			if err != nil {
				require.Contains(t, []krberr.Code{krberr.CCFormat, krberr.CCacheBadVNO}, krberr.Of(err))
				continue
			}
			require.Equal(t, plain(all.Entries[:len(want.Entries)]), plain(want.Entries))
			require.LessOrEqual(t, end, cut)
			if cut == end || seen[len(want.Entries)] && cut%16 != 0 {
				continue
			}
			seen[len(want.Entries)] = true
			require.NoError(t, os.WriteFile(path, whole[:cut], 0o600))
			got, err := c.Load(ctx)
			require.NoError(t, err)
			require.Equal(t, plain(want.Entries), plain(got.Entries))
			_, err = ccache.ParseFile(whole[:cut])
			require.ErrorIs(t, err, krberr.CCFormat) // what is no cache's file is read strictly
			require.NoError(t, c.Store(ctx, ticket("new", 1700000000)))
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, whole[:end], b[:end])
			got, err = ccache.ParseFile(b)
			require.NoError(t, err)
			require.Equal(t, plain(append(want.Entries, ticket("new", 1700000000))), plain(got.Entries))
		}
		require.Len(t, seen, 4)
	}
}

// What is tolerated of a file that others write too.
func TestLenient(t *testing.T) {
	b := golden(t, filepath.Join("lenient", "torn.txt"))
	path := filepath.Join(t.TempDir(), "cc")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	_, err := ccache.ParseFile(b)
	require.ErrorIs(t, err, krberr.CCFormat)
	c, err := ccache.NewFile(path).Load(t.Context())
	require.NoError(t, err)
	require.Len(t, c.Entries, 3)
}

// TestChild is what the other tests run in a process of its own.
func TestChild(t *testing.T) {
	path, ctx := os.Getenv("CCACHE_PATH"), context.Background()
	c := ccache.NewFile(path)
	big := ticket("big", 1700000000)
	big.Ticket = make([]byte, 1<<20)
	switch os.Getenv("CCACHE_CHILD") {
	case "append": // until it is killed
		fmt.Println("ready")
		for i := 0; ; i++ {
			if i%8 == 7 {
				require.NoError(t, c.Init(ctx, contents(alice, ticket("kept", 1700000000))))
			}
			require.NoError(t, c.Store(ctx, big))
		}
	case "full": // a disk on which files cannot grow beyond some size
		signal.Ignore(syscall.SIGXFSZ)
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 100_000, Max: 100_000}))
		require.ErrorIs(t, c.Store(ctx, big), krberr.CCWrite)
		require.ErrorIs(t, c.Init(ctx, contents(alice, big)), krberr.CCWrite)
		require.NoError(t, c.Store(ctx, ticket("small", 1700000000)))
	case "lock": // as MIT's programs do
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		require.NoError(t, unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}))
		fmt.Println("ready")
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "other user":
		_, err := c.Load(ctx)
		require.ErrorIs(t, err, krberr.FCCPerm)
		require.ErrorIs(t, err, os.ErrPermission)
		require.ErrorIs(t, c.Store(ctx, big), krberr.FCCPerm)
		require.ErrorIs(t, c.Init(ctx, contents(alice)), krberr.FCCPerm)
		require.ErrorIs(t, c.Destroy(ctx), krberr.FCCPerm)
		col, err := ccache.OpenCollection("DIR:"+filepath.Dir(path), nil)
		require.NoError(t, err)
		_, err = col.New(ctx, contents(alice))
		require.ErrorIs(t, err, krberr.FCCPerm)
		require.ErrorIs(t, col.Switch(ctx, resolve(t, "DIR::"+path)), krberr.FCCPerm)
	}
}

func child(t *testing.T, what, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), "CCACHE_CHILD="+what, "CCACHE_PATH="+path)
	return cmd
}

// start runs a child until it says that it is ready.
func start(t *testing.T, cmd *exec.Cmd) io.WriteCloser {
	t.Helper()
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	ready := make([]byte, len("ready"))
	_, err = io.ReadFull(out, ready)
	require.NoError(t, err)
	require.Equal(t, "ready", string(ready))
	return in
}

// A process that is killed while it writes loses nothing that was there.
func TestKilled(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "tktcc")
	c := ccache.NewFile(path)
	require.NoError(t, c.Init(ctx, contents(alice, ticket("kept", 1700000000))))
	for i := range 10 {
		cmd := child(t, "append", path)
		start(t, cmd)
		time.Sleep(time.Duration(5+7*i) * time.Millisecond)
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // killed
		creds, err := ccache.Credentials(ctx, c)
		require.NoError(t, err)
		require.NotEmpty(t, creds)
		require.Equal(t, plain([]ccache.Credential{ticket("kept", 1700000000)}), plain(creds[:1]))
		require.NoError(t, c.Init(ctx, contents(alice, ticket("kept", 1700000000))))
		require.NoError(t, c.Store(ctx, ticket("after", 1700000000)))
	}
}

// A full disk loses nothing either.
func TestFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cc")
	c := ccache.NewFile(path)
	require.NoError(t, c.Init(t.Context(), contents(alice, ticket("kept", 1700000000))))
	out, err := child(t, "full", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	creds, err := ccache.Credentials(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, plain([]ccache.Credential{ticket("kept", 1700000000), ticket("small", 1700000000)}), plain(creds))
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
}

// A lock that another process holds keeps us no longer than the context.
func TestLockedByProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cc")
	c := ccache.NewFile(path)
	require.NoError(t, c.Init(t.Context(), contents(alice, ticket("a", 1700000000))))
	cmd := child(t, "lock", path)
	in := start(t, cmd)
	short := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	_, err := c.Load(short())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	for _, err := range []error{
		c.Store(short(), ticket("b", 1700000000)), c.Destroy(short()), c.Remove(short(), func(*ccache.Credential) bool { return true }),
	} {
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
	creds, err := ccache.Credentials(t.Context(), c)
	require.NoError(t, err)
	require.Len(t, creds, 1)
}

// Files of others are refused by the system and by nobody else: MIT asks for
// neither owner nor mode.
func TestOwner(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tktcc")
	c := ccache.NewFile(path)
	require.NoError(t, c.Init(t.Context(), contents(alice, ticket("a", 1700000000))))
	require.NoError(t, os.Chmod(path, 0o644))
	_, err := c.Load(t.Context())
	require.NoError(t, err)
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	require.NoError(t, os.Chown(path, 65534, 65534))
	_, err = c.Load(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.Chown(path, 0, 0))
	require.NoError(t, os.Chmod(path, 0o600))
	// The test's program and directory must be in reach for the other user.
	public, err := os.MkdirTemp("", "ccache")
	require.NoError(t, err)
	defer func() { require.NoError(t, os.RemoveAll(public)) }()
	require.NoError(t, os.Chmod(public, 0o755))
	program, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(public, "test"), program, 0o700))
	require.NoError(t, os.Chmod(filepath.Join(public, "test"), 0o755))
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(public, "tktcc"), b, 0o600))
	cmd := child(t, "other user", filepath.Join(public, "tktcc"))
	cmd.Path, cmd.Dir = filepath.Join(public, "test"), "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// Destroy leaves nothing of the keys on the disk, and what a link leads to
// alone.
func TestDestroyWipes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cc")
	c := ccache.NewFile(path)
	require.NoError(t, c.Init(t.Context(), contents(alice, ticket("a", 1700000000))))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	require.NoError(t, c.Destroy(t.Context()))
	b, err := io.ReadAll(f)
	require.NoError(t, err)
	require.NotEmpty(t, b)
	require.Equal(t, bytes.Repeat([]byte{0}, len(b)), b)

	target := filepath.Join(t.TempDir(), "target")
	require.NoError(t, os.WriteFile(target, []byte("valuable"), 0o600))
	require.NoError(t, os.Symlink(target, path))
	require.NoError(t, c.Destroy(t.Context()))
	b, err = os.ReadFile(target)
	require.NoError(t, err)
	require.Equal(t, "valuable", string(b))
	_, err = os.Lstat(path)
	require.ErrorIs(t, err, os.ErrNotExist)
}
