package v1

import "reflect"

// overlaps reports whether in lies, in part, in the free capacity of dst, where
// the output goes. It compares addresses, which without package unsafe only
// reflection can give; a pointer, unlike a slice, is not allocated for it.
func overlaps(dst, in []byte) bool {
	free := dst[len(dst):cap(dst)]
	if len(free) == 0 || len(in) == 0 {
		return false
	}
	a := reflect.ValueOf(&free[0]).Pointer()
	b := reflect.ValueOf(&in[0]).Pointer()
	return a < b+uintptr(len(in)) && b < a+uintptr(len(free))
}
