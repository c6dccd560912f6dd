// Package signing shows, in the languages of most receivers, how to verify that a request is from Bookhook. Each
// example is a file that is shown and documented as it is, uses the language's standard library alone, and is run by
// the tests of this package where its language is installed.
package signing

import (
	"embed"
	"strings"
)

//go:embed verify.php verify.mjs verify.py verify.go Verify.cs Bookhook.java
var files embed.FS

// Example is how to verify a request in one language.
type Example struct {
	Key      string // for ids of elements
	Language string // as people know it
	File     string // its name in this folder
}

// Examples are in the order to be shown.
var Examples = []Example{
	{"php", "PHP", "verify.php"},
	{"javascript", "JavaScript", "verify.mjs"},
	{"python", "Python", "verify.py"},
	{"go", "Go", "verify.go"},
	{"csharp", "C#", "Verify.cs"},
	{"java", "Java", "Bookhook.java"},
}

// Code returns the text of the file.
func (e Example) Code() string {
	text, err := files.ReadFile(e.File)
	if err != nil {
		panic(err) // it is embedded
	}
	return strings.TrimRight(string(text), "\n")
}
