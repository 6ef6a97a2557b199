package enctype

// confounders hands out random blocks. A call to the system's generator costs
// as much as encrypting a short message, so it is asked for several blocks at
// once: for one at first, since many keys encrypt a single message, then for
// twice as many each time. Each block is used once, and wiped when it is.
type confounders struct {
	read func([]byte) (int, error)
	buf  [16 * block]byte
	n    int // bytes of the last draw, at the end of buf
	left int // bytes of them not used yet, at the end of buf
}

// next writes a confounder to b.
func (c *confounders) next(b *[block]byte) error {
	if c.left == 0 {
		n := min(max(2*c.n, block), len(c.buf))
		if _, err := c.read(c.buf[len(c.buf)-n:]); err != nil {
			return err
		}
		c.n, c.left = n, n
	}
	from := c.buf[len(c.buf)-c.left:][:block]
	copy(b[:], from)
	clear(from)
	c.left -= block
	return nil
}

// clear wipes the blocks that are left.
func (c *confounders) clear() {
	clear(c.buf[:])
	c.left = 0
}
