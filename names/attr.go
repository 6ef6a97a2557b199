package names

import (
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
)

// Attributes returns the names of the attributes that n has (RFC 6680 §7.4).
// Only an MN of a mechanism with attributes has any.
func (n Name) Attributes() []string {
	if a, ok := n.mn.(mech.AttributedName); ok {
		return a.Attributes()
	}
	return nil
}

// Attribute returns an attribute of the name (RFC 6680 §7.5), ErrUnavailable if
// it has none of that name. Trust it only if it is Authenticated.
func (n Name) Attribute(attr string) (mech.Attribute, error) {
	const op = "get_name_attribute"
	a, err := n.attributed(op)
	if err != nil {
		return mech.Attribute{}, err
	}
	v, err := a.Attribute(attr)
	if err != nil {
		return mech.Attribute{}, fail(op, 0, err)
	}
	return v, nil
}

// WithAttribute returns the name with an attribute set (RFC 6680 §7.6). It is
// ErrUnavailable if the mechanism does not allow that.
func (n Name) WithAttribute(attr string, v mech.Attribute) (Name, error) {
	const op = "set_name_attribute"
	a, err := n.attributed(op)
	if err != nil {
		return Name{}, err
	}
	return n.changed(op)(a.WithAttribute(attr, v))
}

// WithoutAttribute returns the name without an attribute (RFC 6680 §7.7). It is
// ErrUnavailable if the name has none of that name, or the mechanism does not
// allow it.
func (n Name) WithoutAttribute(attr string) (Name, error) {
	const op = "delete_name_attribute"
	a, err := n.attributed(op)
	if err != nil {
		return Name{}, err
	}
	return n.changed(op)(a.WithoutAttribute(attr))
}

// attributed returns the part of n that has attributes.
func (n Name) attributed(op string) (mech.AttributedName, error) {
	if n.IsZero() {
		return nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadName, nil)
	}
	a, ok := n.mn.(mech.AttributedName)
	if !ok {
		return nil, fail(op, gsserr.ErrUnavailable, nil)
	}
	return a, nil
}

// changed returns a function that puts a changed mechanism name in the place of
// n's.
func (n Name) changed(op string) func(mech.Name, error) (Name, error) {
	return func(mn mech.Name, err error) (Name, error) {
		if err != nil {
			return Name{}, fail(op, 0, err)
		}
		n.mn = mn
		return n, nil
	}
}
