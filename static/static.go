// Package static holds the style sheet, the scripts, the icon and the picture of previews, embedded, each
// under a name with a hash of its content, so that browsers may keep them for
// ever.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"path"
	"strings"
)

//go:embed *.css *.js *.svg *.png
var files embed.FS

// Prefix is the path under which the files are served.
const Prefix = "/static/"

// File is one embedded file.
type File struct {
	Name string // as served, with the hash: app.3f2a1b9c.css
	Type string // its Content-Type
	Body []byte
}

var types = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".png": "image/png",
}

var byName, byHash = load()

// Path is the path of a file by its plain name: Path("app.css") is
// /static/app.3f2a1b9c.css. An unknown name panics; tests render every page.
func Path(name string) string {
	f, ok := byName[name]
	if !ok {
		panic("static: no file " + name)
	}
	return Prefix + f.Name
}

// Lookup finds a file by its name with the hash. What it returns never changes:
// serve it with "Cache-Control: public, max-age=31536000, immutable".
func Lookup(name string) (File, bool) {
	f, ok := byHash[name]
	return f, ok
}

func load() (plain, hashed map[string]File) {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err)
	}
	plain, hashed = map[string]File{}, map[string]File{}
	for _, entry := range entries {
		body, err := files.ReadFile(entry.Name())
		if err != nil {
			panic(err)
		}
		ext := path.Ext(entry.Name())
		sum := sha256.Sum256(body)
		f := File{
			Name: strings.TrimSuffix(entry.Name(), ext) + "." + hex.EncodeToString(sum[:4]) + ext,
			Type: types[ext], Body: body,
		}
		plain[entry.Name()], hashed[f.Name] = f, f
	}
	return plain, hashed
}
