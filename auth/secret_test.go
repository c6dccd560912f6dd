package auth

import (
	"regexp"
	"testing"
)

// What OAuth 2.0 passes between programs has letters and digits only; the prefix of
// an API token is part of the contract.
func TestSecretTexts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		new  func() (string, []byte)
		form string
	}{
		"API token":     {NewToken, `^bh_[\w-]{43}$`},
		"client secret": {NewClientSecret, `^bhs[0-9A-Z]{52}$`},
		"access token":  {NewAccessToken, `^bha[0-9A-Z]{52}$`},
		"session":       {NewSessionID, `^[0-9A-Z]{52}$`},
	} {
		text, hash := c.new()
		again, _ := c.new()
		if !regexp.MustCompile(c.form).MatchString(text) || text == again || string(hash) != string(HashSecret(text)) {
			t.Errorf("%s: got %s, want one like %s, another one each time", name, text, c.form)
		}
	}
}
