package conf

// AppDefault returns what appdefaults says of an option of an application, and
// whether it says something. As in MIT, the first of these counts:
//
//	[appdefaults]
//	    application = {
//	        REALM = { option = value }
//	        option = value
//	    }
//	    REALM = { option = value }
//	    option = value
//
// An empty realm leaves out the two blocks of a realm.
func (c *Config) AppDefault(application, realm, option string) (string, bool) {
	if realm != "" {
		if v, ok := c.Get("appdefaults", application, realm, option); ok {
			return v, true
		}
	}
	if v, ok := c.Get("appdefaults", application, option); ok {
		return v, true
	}
	if realm != "" {
		if v, ok := c.Get("appdefaults", realm, option); ok {
			return v, true
		}
	}
	return c.Get("appdefaults", option)
}

// AppBool returns a boolean of [Config.AppDefault], def if there is none or it
// is no boolean. As in MIT, a word that is none is false where something is set.
func (c *Config) AppBool(def bool, application, realm, option string) bool {
	v, ok := c.AppDefault(application, realm, option)
	if !ok {
		return def
	}
	b, _ := parseBool(v)
	return b
}

// LibDefault returns a relation of libdefaults, and whether there is one: that
// in the realm's own block, libdefaults { REALM = { … } }, before the general
// one. An empty realm has no block.
func (c *Config) LibDefault(realm, relation string) (string, bool) {
	if realm != "" {
		if v, ok := c.Get("libdefaults", realm, relation); ok {
			return v, true
		}
	}
	return c.Get("libdefaults", relation)
}
