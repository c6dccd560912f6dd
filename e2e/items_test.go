package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

func TestChannels(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/channels")
	p.sees("No channels yet")

	p.opens("Add a channel")
	p.fill("Id", "39 30")
	p.fill("Name", "Website 🎟")
	p.refused("Add channel", "An id has no spaces and no commas.")
	p.holds("Id", "39 30")
	p.holds("Name", "Website 🎟")
	p.fill("Id", "3930")
	p.press("Add channel")
	p.sees("“Website 🎟” was added.")

	p.opens("Add a channel")
	p.fill("Id", "3930")
	p.fill("Name", "Another")
	p.refused("Add channel", "3930")
	p.fill("Id", "3931")
	p.press("Add channel")
	p.sees("2 channels")

	p.opens("Rename Another")
	p.fill("New name", " ")
	p.refused("Rename", "Enter a name.")
	p.holds("New name", " ")
	p.fill("New name", "Viator")
	p.press("Rename")
	p.sees("3931 is now called “Viator”.")

	p.opens("Retire Viator")
	p.sees("is no longer offered to choose from.")
	p.press("Retire channel")
	p.sees("“Viator” was retired.")
	p.looks()
	p.press("Undo")
	p.sees("“Viator” is in use again.")
	p.opens("Retire Viator")
	p.press("Retire channel")
	p.sees("Retired")
	p.press("Restore Viator")
	p.sees("“Viator” is in use again.")

	p.fill("Search by name or id", "VIA")
	p.press("Search")
	p.isAt(`/channels\?q=VIA$`)
	p.sees("1 channel")
	p.lacks("Website 🎟")
	p.fill("Search by name or id", "nothing like it")
	p.press("Search")
	p.sees("Nothing matches “nothing like it”")
	p.follow("Show all")
	p.sees("2 channels")
}

func TestImportTours(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/tours")
	p.opens("Import a list")
	const bad = "id,name\n12,Harbour Walk\n13\n,Nameless\n14,\"Open quote\n12,Again"
	p.fill("Paste a list", bad)
	p.refused("Import tours", "4 lines have a problem; nothing was imported.")
	p.holds("Paste a list", bad)
	for _, text := range []string{
		"Line 3", "this one has 1", "Line 4", "Enter the id", "Line 5", "The quotes on this line do not match",
		"Line 6", "The id 12 is already on line 2.",
	} {
		p.sees(text)
	}
	p.sees("No tours yet") // nothing half done

	p.fill("Paste a list", "id;name\r\n12;Harbour Walk\r\n13;\"Food; and Drink\"\r\n14;Ausflug 🚌")
	p.press("Import tours")
	p.sees("The list was imported: 3 added, 0 updated.")
	p.sees("Food; and Drink")

	p.opens("Import a list")
	p.upload("Or upload a CSV file", "tours.csv", "\ufeff12,Harbour Stroll\n15,\"Night, Walk\"\n")
	p.press("Import tours")
	p.sees("The list was imported: 1 added, 1 updated.")
	p.sees("Harbour Stroll")
	p.sees("Night, Walk")
	p.lacks("Harbour Walk")

	p.opens("Import a list")
	p.upload("Or upload a CSV file", "tours.csv", "16,Day\nTrip\n")
	p.refused("Import tours", "1 line has a problem; nothing was imported.")
	p.holds("Paste a list", "16,Day\nTrip\n") // to be corrected right there
	p.fill("Paste a list", "16,Day Trip")
	p.press("Import tours")
	p.sees("Day Trip")

	p.opens("Import a list")
	p.refused("Import tours", "There is nothing in this list.")
	p.upload("Or upload a CSV file", "tours.csv", "17,Caf\xe9\n")
	p.refused("Import tours", "This list is not in UTF-8.")
}

func TestLongListOfTours(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	var list strings.Builder
	for i := range 250 {
		fmt.Fprintf(&list, "t%03d,Tour number %03d\n", i, i)
	}
	p := a.as(t, operator, pageOptions{NoScript: true})
	p.visit(a.URL + "/tours")
	p.opens("Import a list")
	p.fill("Paste a list", list.String())
	p.press("Import tours")
	p.sees("The list was imported: 250 added")
	for _, first := range []string{"t100", "t200"} {
		p.follow("Next page")
		p.isAt("after=")
		p.sees(first)
	}
	p.sees("250 tours")
	p.lacks("Next page")
	p.follow("First page")
	p.sees("t000")
}

// upload chooses a file for the field with this label.
func (p *page) upload(label, name, content string) {
	p.t.Helper()
	must(p.t, p.labelled(label).SetInputFiles(playwright.InputFile{Name: name, MimeType: "text/csv", Buffer: []byte(content)}))
}
