package conf

// section is a section or a block: relations and blocks by name.
type section struct {
	values     map[string][]string
	places     map[string][]place // where values are from, one by one
	valueNames []string           // keys of values, in order of appearance
	blocks     map[string]*section
	blockNames []string
	// A final section takes nothing from the files after its own, a final
	// relation no values.
	final       bool
	finalValues map[string]bool
}

// place is where a value stands.
type place struct {
	file string // "" for a text
	line int
}

// add appends a value.
func (s *section) add(name, value string, at place, final bool) {
	if s.values == nil {
		s.values, s.places = make(map[string][]string), make(map[string][]place)
	}
	if _, ok := s.values[name]; !ok {
		s.valueNames = append(s.valueNames, name)
	}
	s.values[name] = append(s.values[name], value)
	s.places[name] = append(s.places[name], at)
	if final {
		s.setFinal(name)
	}
}

func (s *section) setFinal(name string) {
	if s.finalValues == nil {
		s.finalValues = make(map[string]bool)
	}
	s.finalValues[name] = true
}

// block returns the block with the name, which it makes if there is none.
func (s *section) block(name string) *section {
	if b := s.blocks[name]; b != nil {
		return b
	}
	if s.blocks == nil {
		s.blocks = make(map[string]*section)
	}
	b := new(section)
	s.blocks[name] = b
	s.blockNames = append(s.blockNames, name)
	return b
}

// merge adds what a later file says. Blocks nest no deeper than maxBlocks, so
// neither does this.
func (s *section) merge(later *section) {
	if s.final {
		return
	}
	for _, name := range later.valueNames {
		if s.finalValues[name] {
			continue
		}
		for i, v := range later.values[name] {
			s.add(name, v, later.places[name][i], false)
		}
		if later.finalValues[name] {
			s.setFinal(name)
		}
	}
	for _, name := range later.blockNames {
		s.block(name).merge(later.blocks[name])
	}
	s.final = later.final
}
