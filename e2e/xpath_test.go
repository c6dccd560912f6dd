package e2e

import "testing"

// TestXPathOfLibxml2: the results that the XPath of platforms/tourcms is compared
// with in its own tests are those of libxml2.
func TestXPathOfLibxml2(t *testing.T) {
	node(t, "xpath.mjs", "../platforms/tourcms/testdata/xpath")
}
