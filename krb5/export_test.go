package krb5

// Permitted returns the encryption types that a mechanism may use.
func Permitted(m *Mechanism) ([]Enctype, error) {
	profile, err := m.config()
	if err != nil {
		return nil, err
	}
	return m.enctypes(profile), nil
}
