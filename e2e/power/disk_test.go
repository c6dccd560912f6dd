package power

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// sector is what a disk writes as a whole, at least.
const sector = 512

// inode is the content of a file, whatever its name.
type inode struct {
	flushed []byte // what is on the disk for certain
	pending []*op  // what may be
}

// op changes a file (data or a new size) or, without one, a name.
type op struct {
	file   *inode
	data   []byte // nil: the file gets the size offset
	offset int64

	name string // gets a file, which loses the name from if there is one; or vanishes
	from string
	gone bool
	made *inode // the file that it gets

	by *call
}

// disk is the state of the files at a moment of a recording.
type disk struct {
	tape    *tape
	rng     *rand.Rand
	ignores func(flush *call) bool // a disk that lies about this flush

	calls   []*call           // that have not begun
	flushes []*call           // that have begun and not ended
	names   map[string]*inode // as the process sees them
	kept    map[string]*inode // on the disk for certain
	renames []*op             // changes of names that may be on the disk, in their order
}

func newDisk(tp *tape, rng *rand.Rand, ignores func(*call) bool) *disk {
	d := &disk{tape: tp, rng: rng, ignores: ignores, calls: tp.calls, names: map[string]*inode{}, kept: map[string]*inode{}}
	for name, content := range tp.files {
		file := &inode{flushed: slices.Clone(content)}
		d.names[name], d.kept[name] = file, file
	}
	return d
}

// name is that of a file which counts: in the folder, and neither the index of the WAL, which SQLite makes anew, nor the
// lock, which is empty.
func (tp *tape) name(path string) (string, bool) {
	name, inside := strings.CutPrefix(path, tp.folder+"/")
	return name, inside && !strings.HasSuffix(name, "-shm") && !strings.HasSuffix(name, ".lock") && !strings.Contains(name, "(deleted)")
}

// flush tells whether the call flushes a file that counts, or the folder.
func (tp *tape) flush(c *call) bool {
	_, counts := tp.name(c.on)
	return (c.name == "fsync" || c.name == "fdatasync") && (counts || c.on == tp.folder)
}

// renames tells whether the call changes a name that counts.
func (tp *tape) renames(c *call) bool {
	if !slices.Contains([]string{"unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat"}, c.name) {
		return false
	}
	_, counts := tp.name(string(c.texts[len(c.texts)-1]))
	return counts
}

// advance goes on to the moment: what begins before it may be on the disk, and flushes that end before it are over.
func (d *disk) advance(moment int) error {
	for {
		next, ends := moment, -1
		if len(d.calls) > 0 && d.calls[0].begin < next {
			next = d.calls[0].begin
		}
		for i, f := range d.flushes {
			if f.end < next {
				next, ends = f.end, i
			}
		}
		switch {
		case ends >= 0:
			f := d.flushes[ends]
			d.flushes = slices.Delete(d.flushes, ends, ends+1)
			d.flushed(f)
		case next < moment:
			c := d.calls[0]
			d.calls = d.calls[1:]
			if err := d.begins(c); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// begins takes note of a call.
func (d *disk) begins(c *call) error {
	if d.tape.flush(c) {
		d.flushes = append(d.flushes, c)
		return nil
	}
	if c.failed {
		return nil // it changed nothing
	}
	switch c.name {
	case "open", "openat":
		if name, counts := d.tape.name(string(c.texts[0])); counts && strings.Contains(c.rest, "O_CREAT") && d.names[name] == nil {
			d.named(&op{name: name, made: &inode{}}, c)
		} else if counts && strings.Contains(c.rest, "O_TRUNC") {
			d.changed(d.names[name], nil, 0, c)
		}
		return nil
	case "unlink", "unlinkat":
		if name, counts := d.tape.name(string(c.texts[0])); counts {
			d.named(&op{name: name, gone: true}, c)
		}
		return nil
	case "rename", "renameat", "renameat2":
		from, _ := d.tape.name(string(c.texts[0]))
		if to, counts := d.tape.name(string(c.texts[len(c.texts)-1])); counts {
			d.named(&op{name: to, from: from, made: d.names[from]}, c)
		}
		return nil
	case "link", "linkat":
		from, _ := d.tape.name(string(c.texts[0]))
		if to, counts := d.tape.name(string(c.texts[1])); counts {
			d.named(&op{name: to, made: d.names[from]}, c)
		}
		return nil
	case "read", "close":
		return nil
	}
	name, counts := d.tape.name(c.on)
	if !counts {
		return nil
	}
	file := d.names[name]
	numbers := c.numbers()
	switch {
	case file == nil:
		return fmt.Errorf("%s on %s, which is not there", c.name, name)
	case c.name == "pwrite64" && len(numbers) == 2:
		d.changed(file, c.texts[0], numbers[1], c)
	case c.name == "ftruncate" && len(numbers) == 1:
		d.changed(file, nil, numbers[0], c)
	case c.name == "write": // to a new file, where the system cannot copy
		d.changed(file, c.texts[0][:c.result], int64(len(file.seen())), c)
	case c.name == "copy_file_range":
		return d.copied(file, c)
	default:
		return fmt.Errorf("%s on %s (%s) is not understood", c.name, name, c.rest)
	}
	return nil
}

// copied lets the file grow by what another has at that place: a whole file is copied to a new one.
func (d *disk) copied(from *inode, c *call) error {
	target := copyTarget.FindStringSubmatch(c.rest)
	if target == nil {
		return fmt.Errorf("copy_file_range(%s) is not understood", c.rest)
	}
	path, err := unhex(target[1])
	if err != nil {
		return err
	}
	name, counts := d.tape.name(string(path))
	if !counts || d.names[name] == nil {
		return fmt.Errorf("a copy to %s, which is not there", path)
	}
	at := int64(len(d.names[name].seen()))
	d.changed(d.names[name], from.seen()[at:at+c.result], at, c)
	return nil
}

// copyTarget finds the file in the arguments behind the first descriptor: NULL, 9<\x2f…>, NULL, 65536, 0.
var copyTarget = regexp.MustCompile(`^NULL, \d+<([^>]*)>, NULL, `)

// seen is the content as the process sees it.
func (f *inode) seen() []byte {
	content := slices.Clone(f.flushed)
	for _, o := range f.pending {
		content = o.apply(content)
	}
	return content
}

func (d *disk) changed(file *inode, data []byte, offset int64, c *call) {
	file.pending = append(file.pending, &op{file: file, data: data, offset: offset, by: c})
}

func (d *disk) named(o *op, c *call) {
	o.by = c
	d.renames = append(d.renames, o)
	o.rename(d.names)
}

func (o *op) rename(names map[string]*inode) {
	delete(names, o.from)
	if o.gone {
		delete(names, o.name)
	} else {
		names[o.name] = o.made
	}
}

// flushed has all that ended before the flush began on the disk for certain. If the flush failed, the system may have
// given up on any part of what was written through this descriptor: that part is never written, whatever a later flush
// says. (Linux tells of it on every descriptor of the file; the failure that strace makes is told on this one only, so
// what others wrote is not given up.)
func (d *disk) flushed(c *call) {
	if d.ignores(c) {
		return
	}
	before := func(o *op) bool { return o.by.end < c.begin }
	if c.on == filepath.Clean(d.tape.folder) {
		for len(d.renames) > 0 && before(d.renames[0]) && !c.failed {
			d.renames[0].rename(d.kept)
			d.renames = d.renames[1:]
		}
		return
	}
	name, _ := d.tape.name(c.on)
	file := d.names[name]
	if file == nil {
		return // it was removed
	}
	var later []*op
	for _, o := range file.pending {
		switch {
		case !before(o):
			later = append(later, o)
		case c.failed && (o.by.fd != c.fd || o.by.run != c.run):
			later = append(later, o)
		case c.failed:
			file.flushed = o.partly(file.flushed, d.rng, sector, 0.5)
		default:
			file.flushed = o.apply(file.flushed)
		}
	}
	file.pending = later
}
