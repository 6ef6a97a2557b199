package secctx_test

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	secctx "github.com/gss-go/gssapi/context"
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/names"
)

func TestExport(t *testing.T) {
	r := toyWorld(t)
	cred := acquire(t, r, names.User("alice"), mech.UsageInitiate)
	i, a := pair(t, &secctx.InitOptions{Cred: cred}, &secctx.AcceptOptions{Registry: r})
	before, beforeA := i.Info(), a.Info()
	early, err := a.Wrap(nil, []byte("early"), nil)
	require.NoError(t, err)
	_, _, err = i.Unwrap(nil, early)
	require.NoError(t, err)

	token, err := i.Export()
	require.NoError(t, err)
	// The frame: the length of the OID and the OID, then the mechanism's token.
	der := toyOID.DER()
	require.Equal(t, uint32(len(der)), binary.BigEndian.Uint32(token))
	require.Equal(t, der, token[4:4+len(der)])
	_, err = i.Wrap(nil, nil, nil)
	require.ErrorIs(t, err, gsserr.ErrNoContext, "the original is closed")

	back, err := secctx.Import(token, r)
	require.NoError(t, err)
	after := back.Info()
	require.Equal(t, before.Flags, after.Flags)
	require.True(t, after.Established && after.IsInitiator)
	require.Equal(t, toyOID, after.Mech)
	require.True(t, before.Initiator.Equal(after.Initiator) && before.Acceptor.Equal(after.Acceptor))
	require.Equal(t, "imap@mail", back.Peer().String())
	require.Equal(t, "imap@mail", after.Target.String())
	require.Equal(t, before.Expires.Unix(), back.Expires().Unix())
	next, err := back.Wrap(nil, []byte("next"), nil)
	require.NoError(t, err)
	msg, _, err := a.Unwrap(nil, next)
	require.NoError(t, err)
	require.Equal(t, "next", string(msg))
	_, _, err = back.Unwrap(nil, early)
	require.ErrorIs(t, err, gsserr.ErrDuplicateToken)
	_, _, err = back.Step(t.Context(), nil)
	require.ErrorIs(t, err, gsserr.ErrNoContext)

	token, err = a.Export()
	require.NoError(t, err)
	backA, err := secctx.Import(token, r)
	require.NoError(t, err)
	require.False(t, backA.Info().IsInitiator)
	require.Equal(t, beforeA.Flags, backA.Info().Flags)
	require.Equal(t, "alice", backA.Peer().String())
	for n := range token {
		_, err := secctx.Import(token[:n], r)
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken, "%d bytes", n)
	}
	_, err = secctx.Import(token, nil)
	require.ErrorIs(t, err, gsserr.ErrBadMech)
	_, err = secctx.Import(token, registry(t, mechtest.NewToy("x", &mechtest.ToyOptions{OID: otherOID})))
	require.ErrorIs(t, err, gsserr.ErrBadMech)
	_, err = secctx.Import(make([]byte, mech.MaxToken+1), r)
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	for _, s := range []string{"", "00000000", "ffffffff2a", "0000000180"} {
		b, err := hex.DecodeString(s)
		require.NoError(t, err)
		_, err = secctx.Import(b, r)
		require.ErrorIs(t, err, gsserr.ErrDefectiveToken, s)
	}
}

// importing is a mechanism that imports what it is told.
type importing struct {
	*fake
	c   mech.Context
	err error
}

func (m importing) ImportContext([]byte) (mech.Context, error) { return m.c, m.err }

func TestExportErrors(t *testing.T) {
	s := &iovScript{script: script{info: good()}}
	c := open(t, s)
	s.fail = gsserr.ErrUnavailable
	_, err := c.Export()
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	require.True(t, c.Info().Established, "it goes on")
	require.ErrorIs(t, c.WrapIOV(nil, nil), gsserr.ErrUnavailable, "as the engine says")
	s.fail = nil
	token, err := c.Export()
	require.NoError(t, err)
	require.Equal(t, 1, s.closed)

	_, err = secctx.Import(token, registry(t, fakeMech(s)))
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	_, err = secctx.Import(token, registry(t, importing{fakeMech(s), nil, gsserr.ErrDefectiveToken}))
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
	half := &script{}
	_, err = secctx.Import(token, registry(t, importing{fakeMech(s), half, nil}))
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken, "not established")
	require.Equal(t, 1, half.closed)
	strange := &script{info: good()}
	strange.info.Initiator, strange.info.Delegated = false, strangeCred{}
	_, err = secctx.Import(token, registry(t, importing{fakeMech(s), strange, nil}))
	require.ErrorIs(t, err, gsserr.ErrBadMech)
	require.Equal(t, 1, strange.closed)
	whole := &script{info: good()}
	got, err := secctx.Import(token, registry(t, importing{fakeMech(s), whole, nil}))
	require.NoError(t, err)
	require.Equal(t, "imap", got.Peer().String())
}

func FuzzImportContext(f *testing.F) {
	r := toyWorld(f)
	i, a := pair(f, &secctx.InitOptions{Registry: r}, &secctx.AcceptOptions{Registry: r})
	for _, c := range []*secctx.SecContext{i, a} {
		token, err := c.Export()
		require.NoError(f, err)
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := secctx.Import(b, r)
		if err != nil {
			return
		}
		again, err := c.Export()
		if err != nil || string(again) != string(b) {
			t.Errorf("Import(%x) exports as %x, %v", b, again, err)
		}
	})
}
