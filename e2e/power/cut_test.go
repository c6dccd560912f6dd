package power

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// way is how much of what was not flushed a power cut leaves.
type way int

const (
	nothing way = iota // nothing
	all                // everything
	inOrder            // in the order in which it was written, up to a torn write
	writes             // some writes and not others
	sectors            // some sectors of 512 bytes and not others
	blocks             // some blocks of 4096 bytes and not others
	rubbish            // some sectors, and what else belongs to the longer file has never been written: anything
	waysToCut
)

// image is the content of the files after a power cut, by their names.
type image map[string][]byte

func (i image) write(folder string) error {
	for name, content := range i {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// cut returns what a power cut at this moment could leave.
func (d *disk) cut(w way, rng *rand.Rand) image {
	names := maps.Clone(d.kept)
	for i, some := 0, d.some(w, rng); i < some; i++ { // a journal keeps the order of names
		d.renames[i].rename(names)
	}
	files, contents := image{}, map[*inode][]byte{} // a file may have two names
	for _, name := range slices.Sorted(maps.Keys(names)) {
		file := names[name]
		if _, done := contents[file]; !done {
			contents[file] = file.cut(w, rng)
		}
		files[name] = contents[file]
	}
	return files
}

func (d *disk) some(w way, rng *rand.Rand) int {
	switch w {
	case nothing:
		return 0
	case all:
		return len(d.renames)
	default:
		return rng.IntN(len(d.renames) + 1)
	}
}

func (f *inode) cut(w way, rng *rand.Rand) []byte {
	content := slices.Clone(f.flushed)
	chance := []float64{0.1, 0.5, 0.9}[rng.IntN(3)]
	if w == rubbish {
		content = longer(content, f.pending, rng)
	}
	last := rng.IntN(len(f.pending) + 1)
	for i, o := range f.pending {
		switch w {
		case nothing:
		case all:
			content = o.apply(content)
		case inOrder:
			if i < last {
				content = o.apply(content)
			} else if i == last && o.data != nil {
				torn := *o
				torn.data = o.data[:rng.IntN(len(o.data)+1)]
				content = torn.apply(content)
			}
		case writes:
			if rng.Float64() < chance {
				content = o.apply(content)
			}
		case sectors, rubbish:
			content = o.partly(content, rng, sector, chance)
		case blocks:
			content = o.partly(content, rng, 8*sector, chance)
		}
	}
	return content
}

// longer makes the file as long as it may be, with anything in the new part: a system may lengthen a file before it
// writes.
func longer(content []byte, pending []*op, rng *rand.Rand) []byte {
	size := int64(len(content))
	for _, o := range pending {
		if o.data == nil {
			return content // it may also become shorter
		}
		size = max(size, o.offset+int64(len(o.data)))
	}
	for int64(len(content)) < size {
		content = append(content, byte(rng.Uint32()))
	}
	return content
}

// apply makes the change as a whole.
func (o *op) apply(content []byte) []byte {
	if o.data == nil {
		if o.offset < int64(len(content)) {
			return content[:o.offset]
		}
		return grow(content, o.offset)
	}
	content = grow(content, o.offset+int64(len(o.data)))
	copy(content[o.offset:], o.data)
	return content
}

func grow(content []byte, size int64) []byte {
	if missing := size - int64(len(content)); missing > 0 {
		content = append(content, make([]byte, missing)...)
	}
	return content
}

// partly makes the change in some blocks of the file. What lies between them is as before, or zero if the file was
// shorter.
func (o *op) partly(content []byte, rng *rand.Rand, block int64, chance float64) []byte {
	if o.data == nil {
		if rng.Float64() < chance {
			return o.apply(content)
		}
		return content
	}
	for from, end := o.offset, o.offset+int64(len(o.data)); from < end; {
		to := min((from/block+1)*block, end)
		if rng.Float64() < chance {
			piece := op{data: o.data[from-o.offset : to-o.offset], offset: from}
			content = piece.apply(content)
		}
		from = to
	}
	return content
}
