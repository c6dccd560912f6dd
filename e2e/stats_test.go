package e2e

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
)

// awayFromTheHour waits over the end of an hour, at which the last bar becomes the one
// before it.
func awayFromTheHour(t testing.TB) {
	t.Helper()
	now := time.Now()
	if left := now.Truncate(time.Hour).Add(time.Hour).Sub(now); left < time.Minute {
		<-time.After(left)
	}
}

// chartOf is the part of a page with this heading.
func (p *page) chartOf(name string) playwright.Locator {
	return p.Locator(".chart", playwright.PageLocatorOptions{Has: p.GetByRole("heading", playwright.PageGetByRoleOptions{Name: name, Exact: new(true)})})
}

// shownAt are the values of a chart that are to be seen beside its bars.
func shownAt(chart playwright.Locator, text string) func() bool {
	return func() bool {
		shown, err := chart.Locator(".tip").EvaluateAll(`(all) => all.filter((tip) => getComputedStyle(tip).opacity === "1").map((tip) => tip.innerText).join("|")`)
		return err == nil && shown == text
	}
}

// lastRow waits for the numbers in the last row of a chart's table.
func lastRow(t testing.TB, chart playwright.Locator, want ...string) {
	t.Helper()
	must(t, expect.Locator(chart.Locator(".values tbody tr").Last().Locator("td")).ToHaveText(want))
}

// failingShop has delivered four bookings and given up one.
func failingShop(t *testing.T) (*shop, target) {
	t.Helper()
	awayFromTheHour(t)
	op := newShop(t)
	in, gone := receiver(t), receiver(t)
	gone.answers(http.StatusGone)
	hook := op.webhook("Accounting", in.URL, nil)
	partner := op.webhook("Old partner", gone.URL, nil)
	for i := range 4 {
		e := op.booking(strconv.Itoa(i))
		op.await(e.to(hook), "delivered")
		if i == 0 {
			op.await(e.to(partner), "failed") // and the webhook is off
		}
	}
	return op, hook
}

// TestStats: what was delivered and what failed is to be seen as bars, read with the
// pointer, with the keyboard and as a table.
func TestStats(t *testing.T) {
	t.Parallel()
	op, hook := failingShop(t)
	for name, o := range map[string]pageOptions{"desktop": {}, "dark phone": {Dark: true, Phone: true}, "no script": {NoScript: true}} {
		t.Run(name, func(t *testing.T) {
			p := op.as(t, operator, o)
			p.visit(op.URL + "/stats")
			chart := p.chartOf("Deliveries")
			must(t, expect.Locator(chart.Locator(".totals li")).ToHaveText([]string{"4 delivered", "1 failed"}))
			must(t, expect.Locator(chart.Locator(".plot rect")).ToHaveCount(2))
			must(t, expect.Locator(p.Locator(".why tbody tr")).ToHaveText([]string{"Gone 1"}))

			must(t, chart.Locator(".slot").Last().Hover())
			values := "4 delivered\n1 failed"
			eventually(t, "the pointer shows the values", func() bool {
				tip, err := chart.Locator(".tip").Last().InnerText()
				return err == nil && len(tip) > len(values) && tip[len(tip)-len(values):] == values && shownAt(chart, tip)()
			})
			must(t, p.Mouse().Move(1, 1))
			eventually(t, "the values are gone", shownAt(chart, ""))
			last := chart.Locator(".slot input").Last()
			must(t, last.Focus())
			must(t, p.Keyboard().Press("ArrowLeft"))
			before := chart.Locator(".slot").Nth(22)
			must(t, expect.Locator(before.Locator("input")).ToBeFocused())
			text, err := before.Locator(".tip").InnerText()
			must(t, err)
			eventually(t, "the keyboard shows the values", shownAt(chart, text))
			must(t, p.Keyboard().Press("Tab"))
			must(t, expect.Locator(chart.Locator("summary")).ToBeFocused())
			must(t, p.Keyboard().Press("Enter"))
			lastRow(t, chart, "4", "0", "1")
			p.fits()

			must(t, p.GetByRole("link", playwright.PageGetByRoleOptions{Name: "30 days"}).Click())
			p.isAt(`/stats\?period=30d$`)
			must(t, expect.Locator(p.chartOf("Deliveries").Locator(".slot")).ToHaveCount(30))
			p.visit(op.page(hook.ID) + "?period=7d")
			must(t, expect.Locator(p.chartOf("Deliveries").Locator(".totals li")).ToHaveText([]string{"4 delivered"}))
			must(t, expect.Locator(p.Locator(".why")).ToHaveCount(0))
			p.fits()
			p.visit(op.URL + "/webhooks")
			must(t, expect.Locator(p.rows("Accounting").GetByRole("img")).ToHaveAccessibleName("4 delivered in 14 days"))
			must(t, expect.Locator(p.rows("Old partner").GetByRole("img")).ToHaveAccessibleName("0 delivered; 1 failed in 14 days"))
			if !o.NoScript {
				p.walk(op.URL, http.StatusOK, "/stats", "/stats?period=7d", "/stats?period=30d", "/webhooks/"+hook.ID, "/webhooks")
			}
		})
	}
}

// TestStatsLive: a chart changes in place, also the one that is being read, whose table
// stays open.
func TestStatsLive(t *testing.T) {
	t.Parallel()
	op, hook := failingShop(t)
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(hook.ID))
	stayed := p.stays()
	chart := p.chartOf("Deliveries")
	must(t, chart.Locator("summary").Click())
	must(t, p.Mouse().Move(1, 1)) // what is pointed at does not change
	last := chart.Locator(".slot input").Last()
	must(t, last.Focus())
	op.await(op.booking("5").to(hook), "delivered")
	lastRow(t, chart, "5", "0", "0")
	must(t, expect.Locator(chart.Locator(".totals li")).ToHaveText([]string{"5 delivered"}))
	must(t, expect.Locator(last).ToBeFocused())
	stayed()
}
