package power

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/db"
)

// backup is one that the recording made, in the folder of the database.
type backup struct {
	name        string
	begin, said int // when its file was made, which is before it read anything; when it was said to be complete
}

// backups finds them.
func (tp *tape) backups() (all []backup) {
	for _, c := range tp.calls {
		switch {
		case len(c.texts) == 0:
		case c.name == "openat" && strings.Contains(c.rest, "O_CREAT"):
			part, _ := tp.name(string(c.texts[0]))
			if name, is := strings.CutSuffix(part, ".db.part"); is && strings.HasPrefix(name, "copy-") {
				all = append(all, backup{name: name + ".db", begin: c.begin, said: never})
			}
		case c.name == "write":
			for i := range all {
				if tp.says(c, filepath.Join(tp.folder, all[i].name)+" is a complete copy of") {
					all[i].said = c.begin
				}
			}
		}
	}
	return all
}

// says tells whether the call prints the text.
func (tp *tape) says(c *call, text string) bool {
	return c.name == "write" && len(c.texts) > 0 && strings.Contains(string(c.texts[0]), text)
}

// backedUp is what must be in a backup: everything that was said before it began. What it shows may have happened later.
func (tp *tape) backedUp(b backup, moment int) promises {
	p := tp.promises(moment)
	later := p.marks
	p.marks = nil
	for _, m := range later {
		if m.at < b.begin || m.kind == heard {
			p.marks = append(p.marks, m)
		}
	}
	return p
}

// keepsCopies restores the backups of an image: one that has its name is whole, and one that was said to be complete is
// there.
func (tp *tape) keepsCopies(t testing.TB, one trial) (problems []string) {
	for _, b := range tp.copies {
		content, there := one.files[b.name]
		if !there {
			if b.said < one.moment {
				problems = append(problems, fmt.Sprintf("the backup %s was complete and is lost", b.name))
			}
			continue
		}
		key := fmt.Sprintf("%s %x", b.name, sha256.Sum256(content))
		if _, known := tp.sound.Load(key); known {
			continue
		}
		wrong := tp.restores(t, tp.backedUp(b, one.moment), content)
		if len(wrong) == 0 {
			tp.sound.Store(key, true)
		}
		for _, w := range wrong {
			problems = append(problems, b.name+": "+w)
		}
	}
	return problems
}

// restores restores a backup in a folder of its own and opens the result.
func (tp *tape) restores(t testing.TB, p promises, content []byte) []string {
	folder := imageFolder(t)
	defer os.RemoveAll(folder) //nolint:errcheck // it is in memory
	if err := (image{"copy.db": content}).write(folder); err != nil {
		return []string{err.Error()}
	}
	if _, err := db.Restore(t.Context(), filepath.Join(folder, "copy.db"), filepath.Join(folder, "bookhook.db"), time.Now()); err != nil {
		return []string{err.Error()}
	}
	return p.keeps(t.Context(), folder)
}

// copied has the binary as it is shipped make a backup of an image and restore it: the result passes the same checks.
func (tp *tape) copied(t testing.TB, s *shop, p promises, database string) {
	t.Helper()
	if len(p.marks) == 0 {
		return // nothing was said yet; there may be no database
	}
	copied, folder := database+".copy", imageFolder(t)
	defer os.RemoveAll(folder) //nolint:errcheck // it is in memory
	s.command(database, "backup", copied)
	s.command(filepath.Join(folder, "bookhook.db"), "restore", copied)
	for _, problem := range p.keeps(t.Context(), folder) {
		t.Errorf("backed up and restored: %s", problem)
	}
}

// besideServe runs serve, and a backup to each of the files, in one recording: a second one would have a clock of
// its own. It ends when there are no more.
const besideServe = `"$1" serve --database "$2" --listen 127.0.0.1:0 --allow-private-targets 127.0.0.0/8 & serve=$!
while read -r file; do "$1" backup "$file" --database "$2" || break; done
kill $serve; wait $serve`

// recordBackups is the load with some backups beside it.
func recordBackups(t testing.TB, seed uint64) (*shop, *tape) {
	s := newShop(t, seed)
	r := newRecording(t, "sh", s.folder)
	files, tell, err := os.Pipe()
	must(t, err)
	defer files.Close()
	r.input = files
	r.listens(r.launch(nil, "-c", besideServe, "sh", binary, r.database()))
	end := func() {
		_ = tell.Close() // it may be closed
		<-r.exited
	}
	t.Cleanup(end)
	for i := range 3 {
		file := filepath.Join(s.folder, fmt.Sprintf("copy-%d.db", i))
		_, err := fmt.Fprintln(tell, file)
		must(t, err)
		for until := time.Now().Add(patience); ; {
			s.load(r.URL, 20)
			if _, err := os.Stat(file); err == nil {
				break
			} else if time.Now().After(until) {
				t.Fatalf("no backup: %v", err)
			}
		}
	}
	s.load(r.URL, 20)
	end()
	r.stop()
	tp := r.tape()
	ended, beside := 0, 0
	for _, b := range tp.copies {
		if b.said != never {
			ended++
			beside += min(1, len(tp.promises(b.said).marks)-len(tp.promises(b.begin).marks))
		}
	}
	if ended < 3 || beside == 0 {
		t.Errorf("%d backups ended, while something happened beside %d: want 3, and one at least", ended, beside)
	}
	return s, tp
}

// TestPowerBackup: a power cut never leaves half a backup under its name. On a disk that ignores the flushes of the
// backup it does.
func TestPowerBackup(t *testing.T) {
	_, tp := recordBackups(t, 3)
	p := tp.every(3)
	p.moments = nil
	for _, c := range tp.calls {
		if name, _ := tp.name(c.on); tp.flush(c) && (strings.HasPrefix(name, "copy-") || c.on == tp.folder) || tp.renames(c) && strings.Contains(string(c.texts[0]), "copy-") {
			p.moments = append(p.moments, c.begin, c.end+1)
		}
	}
	check := func(one trial) []string { return tp.keepsCopies(t, one) }
	named, images := 0, 0
	tp.open(t, p, check, func(one trial, problems []string) {
		images++
		if one.files["copy-2.db"] != nil {
			named++
		}
		if len(problems) > 0 {
			t.Errorf("moment %d, way %d: %q", one.moment, one.way, problems)
		}
	})
	t.Logf("%d images during backups, %d of them with the last one", images, named)
	if named == 0 || named == images {
		t.Error("this shows nothing: there must be images with the last backup and without")
	}
	p = plan{seed: 3, ways: []way{nothing, sectors}, ignores: func(c *call) bool { return c.on != tp.folder }}
	for _, b := range tp.copies {
		p.moments = append(p.moments, b.said+1)
	}
	tp.open(t, p, check, func(one trial, problems []string) {
		if len(problems) == 0 {
			t.Errorf("flushes ignored, moment %d, way %d: nothing is wrong: the checks do not see it", one.moment, one.way)
		}
	})
}

// TestPowerRestore: a power cut during a restore leaves the old database or the backup under the name, and the backup
// only if the old one is kept. So it is where a file can have one name only.
func TestPowerRestore(t *testing.T) {
	for name, faults := range map[string][]string{"linked": nil, "copied": {"-e", "inject=link,linkat:error=EPERM"}} {
		t.Run(name, func(t *testing.T) {
			tp, run := recordRestore(t, faults)
			for tries := 1; tp.lost != ""; tries++ {
				if tries == maxTries {
					t.Fatal(tp.lost)
				}
				t.Logf("recorded again: %s", tp.lost)
				tp, run = recordRestore(t, faults)
			}
			tp.restoring(t, run)
		})
	}
}

// recordRestore records a restore over a database with a write-ahead log, and returns
// which of the recorded runs it is.
func recordRestore(t *testing.T, faults []string) (tp *tape, run int) {
	t.Helper()
	s := newShop(t, 4)
	r := newRecording(t, binary, s.folder)
	r.mayLose = true
	r.start()
	s.load(r.URL, 40)
	r.stop()
	file := filepath.Join(s.folder, "copy-0.db")
	r.run("backup", file)
	r.start()
	s.load(r.URL, 40)
	r.kill9()
	run = len(r.traces)
	r.runFaulty(faults, "restore", file)
	return r.tape(), run
}

func (tp *tape) restoring(t *testing.T, run int) {
	begin, said := tp.begin(run), never
	for _, c := range tp.calls {
		if c.run == run && tp.says(c, " is restored from ") {
			said = c.begin
		}
	}
	p := tp.every(4)
	moments := p.moments
	p.moments = nil
	for _, m := range moments {
		if m > begin {
			p.moments = append(p.moments, m)
		}
	}
	p.moments = append(p.moments, said+1)
	if os.Getenv(imagesWanted) == "" {
		p.others = 0
	}
	var before, after atomic.Int64
	check := func(one trial) []string {
		if one.moment <= said && len(tp.opens(t, tp.promises(one.moment), one.files)) == 0 {
			before.Add(1)
			return nil
		}
		after.Add(1)
		return tp.replaced(t, one)
	}
	tp.open(t, p, check, func(one trial, problems []string) {
		if len(problems) > 0 {
			t.Errorf("moment %d, way %d: %q", one.moment, one.way, problems)
		}
	})
	t.Logf("%d images of a restore have the old database, %d the backup", before.Load(), after.Load())
	if before.Load() == 0 || after.Load() == 0 {
		t.Error("this shows nothing: there must be some of each")
	}
}

// replaced checks an image that has the backup, and what is kept of the old database.
func (tp *tape) replaced(t testing.TB, one trial) []string {
	kept := image{}
	for name, content := range one.files {
		if old, suffix, is := strings.Cut(name, ".before-restore-"); is {
			_, suffix, _ = strings.Cut(suffix[len("20060102-"):], "-") // -wal, if there is one
			kept[strings.TrimSuffix(old+"-"+suffix, "-")] = content
		}
	}
	if kept["bookhook.db"] == nil {
		return []string{"there is no old database, and none is kept"}
	}
	if !bytes.Equal(one.files["bookhook.db"], one.files[tp.copies[0].name]) {
		return []string{"it is neither the old database nor the backup"}
	}
	return append(tp.opens(t, tp.backedUp(tp.copies[0], one.moment), one.files), tp.opens(t, tp.promises(one.moment), kept)...)
}

// opens opens files as an image.
func (tp *tape) opens(t testing.TB, p promises, files image) []string {
	folder := imageFolder(t)
	defer os.RemoveAll(folder) //nolint:errcheck // it is in memory
	if err := files.write(folder); err != nil {
		return []string{err.Error()}
	}
	return p.keeps(t.Context(), folder)
}
