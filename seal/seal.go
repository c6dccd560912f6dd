// Package seal encrypts the secrets that the database holds, so that the file, a
// backup or a disk that is thrown away does not give them to whoever gets it.
//
// A [Key] is 32 random bytes in a file of its own. [Key.Seal] encrypts a text with
// AES-256-GCM and a random nonce, and binds it to the [Place] where it is stored:
// copied to another row, account or column it cannot be opened. What is sealed
// begins with [Prefix], which names the format.
//
// A nil *Key is a database that is not encrypted: it leaves texts as they are. An
// empty text is stored empty, so that it can be seen that there is no secret.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Prefix is what a sealed text begins with: the format, of which this is the first
// version.
const Prefix = "sealed1:"

// keySize is the size of a key in bytes: that of AES-256.
const keySize = 32

// maxFile is how many bytes are read of a file that should hold a key; one has 45.
const maxFile = 1024

// The encodings of a key and of a sealed text, each of which has one text only.
var (
	encoding    = base64.StdEncoding.Strict()
	boxEncoding = base64.RawStdEncoding.Strict()
)

// Key encrypts and decrypts. It is safe for concurrent use.
type Key struct{ aead cipher.AEAD }

// Place is where a text is stored. None of its parts may contain a zero byte.
type Place struct {
	Table  string
	Column string
	Row    string // the account and the id in it
}

// data returns the additional data of a text that is stored there.
func (p Place) data() []byte { return []byte(p.Table + "\x00" + p.Column + "\x00" + p.Row) }

// NewKey returns the text of a new random key: 32 bytes in base64.
func NewKey() string {
	key := make([]byte, keySize)
	rand.Read(key) //nolint:errcheck // never fails, as documented
	return encoding.EncodeToString(key)
}

// ParseKey reads the text of a key, with or without space around it. Its error does
// not contain the text.
func ParseKey(text string) (*Key, error) {
	text = strings.TrimSpace(text)
	key, err := encoding.DecodeString(text)
	if err != nil || len(key) != keySize || encoding.EncodeToString(key) != text { // DecodeString skips line breaks
		return nil, fmt.Errorf("it must hold %d bytes in base64 and nothing else, as \"bookhook secrets key\" prints them", keySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Key{aead}, nil
}

// ReadKey reads the key in a file. Its error names the file and never what is in it.
func ReadKey(path string) (*Key, error) {
	text, err := readStart(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no secret key file %s", path)
	}
	if err != nil {
		return nil, fmt.Errorf("the secret key file cannot be read: %w", err)
	}
	key, err := ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("the file %s is no secret key: %w", path, err)
	}
	return key, nil
}

// readStart reads a small file, or the beginning of a large one.
func readStart(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFile))
	return string(content), err
}

// Seal encrypts a text for a place. The same text gives another result each time.
func (k *Key) Seal(text string, at Place) string {
	if k == nil || text == "" {
		return text
	}
	box := k.aead.Seal(nil, nil, []byte(text), at.data()) //nolint:gosec // the nonce is random: see NewGCMWithRandomNonce
	return Prefix + boxEncoding.EncodeToString(box)
}

// Open decrypts what Seal made for the same place. It fails if the text is not
// sealed, or was sealed with another key or for another place, or changed since.
func (k *Key) Open(sealed string, at Place) (string, error) {
	if k == nil || sealed == "" {
		return sealed, nil
	}
	encoded, ok := strings.CutPrefix(sealed, Prefix)
	if !ok {
		return "", fmt.Errorf("%s of %s, row %s, is not encrypted, as all secrets here should be", at.Column, at.Table, at.Row)
	}
	box, err := boxEncoding.DecodeString(encoded)
	if err != nil {
		return "", fmt.Errorf("%s of %s, row %s, is damaged", at.Column, at.Table, at.Row)
	}
	text, err := k.aead.Open(nil, nil, box, at.data())
	if err != nil {
		return "", fmt.Errorf("%s of %s, row %s, was not encrypted with this key for this place, or was changed", at.Column, at.Table, at.Row)
	}
	return string(text), nil
}
