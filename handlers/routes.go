package handlers

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// routes has every address of Bookhook. A group's guards are written once, in
// front of it; what they let through is in the group's name.
func (a *app) routes(f *fiber.App) {
	f.Get("/healthz", a.showHealth)
	f.Get("/static/:name", a.showStatic)
	a.apiRoutes(f.Group("/api"))
	a.inboundRoutes(f)
	a.prioRoutes(f.Group(prioPath))

	// Anybody.
	f.Use(a.sameOrigin, otherMethods)
	f.Get("/setup", a.showSetup)
	f.Post("/setup", a.saveSetup)
	f.Get("/login", a.showLogin)
	f.Post("/login", a.login)
	f.Post("/logout", a.logout)
	f.Post("/settings/theme", a.saveTheme)

	// Who is signed in.
	people := f.Group("", a.signedIn)
	people.Get("/", a.showHome)
	people.Get("/settings", a.showProfile)
	people.Post("/settings/password", a.savePassword)
	people.Post("/settings/sign-out", a.signOutEverywhere)

	// Admins of the instance.
	admin := people.Group("/admin", admins)
	admin.Get("/accounts", a.listAccounts)
	admin.Post("/accounts", a.addAccount)
	admin.Post("/accounts/:id/limit", a.saveLimit)
	admin.Post("/accounts/:id/users", a.addAccountUser)

	// Staff of an account: see everything, test and replay.
	staff := people.Group("", withAccount)
	staff.Get("/webhooks", a.listWebhooks)
	staff.Get("/webhooks/new", operators, a.newDraft)
	staff.Post("/webhooks/new", operators, a.newDraft)
	staff.Get("/webhooks/:id", a.showWebhook)
	staff.Post("/webhooks/:id/test", a.testWebhook)
	staff.Get("/deliveries", a.listDeliveries)
	staff.Get("/deliveries/new", a.countNewDeliveries)
	staff.Get("/deliveries/:id", a.showDelivery)
	staff.Post("/deliveries/:id/replay", a.replayDelivery)
	staff.Get("/events", a.listEvents)
	staff.Get("/events/:id", a.showEvent)
	staff.Get("/channels", a.listItems)
	staff.Get("/tours", a.listItems)
	staff.Get("/settings/account", a.showAccountSettings)
	staff.Get("/settings/platforms", a.listPlatforms)
	staff.Get("/settings/rejected", a.listUnrecognised)
	staff.Get("/settings/people", a.listPeople)
	staff.Get("/settings/tokens", a.listTokens)
	staff.Get("/settings/activity", a.showActivity)

	operatorRoutes(guarded{staff, operators}, a)
}

// operatorRoutes are for operators of an account: they change it.
func operatorRoutes(operator guarded, a *app) {
	operator.post("/deliveries/:id/cancel", a.cancelDelivery)
	operator.post("/webhooks/:id/edit", a.editWebhook)
	operator.post("/webhooks/:id/switch", a.switchWebhook)
	operator.post("/webhooks/:id/rotate", a.rotateSecret)
	operator.post("/webhooks/:id/delete", a.deleteWebhook)
	operator.post("/drafts/:id/delete", a.deleteDraft)
	operator.post("/drafts/:id/check-url", a.checkURL)
	operator.get("/drafts/:id/test", a.showTried)
	operator.post("/drafts/:id/test", a.tryDraft)
	operator.get("/drafts/:id/:step", a.showStep)
	operator.post("/drafts/:id/:step", a.saveStep)
	for _, kind := range []string{"/channels", "/tours"} {
		operator.post(kind, a.addItem)
		operator.post(kind+"/rename", a.renameItem)
		operator.post(kind+"/retire", a.retireItem)
		operator.post(kind+"/restore", a.restoreItem)
		operator.post(kind+"/import", a.importItems)
		operator.post(kind+"/refresh", a.refreshItems)
	}
	operator.post("/settings/account", a.saveAccountSettings)
	operator.post("/settings/platforms/:platform/switch", a.switchPlatform)
	operator.post("/settings/platforms/:platform/rotate", a.rotateAddress)
	operator.post("/settings/platforms/:platform/settings", a.savePlatform)
	operator.post("/settings/people", a.addPerson)
	operator.post("/settings/people/:id/password", a.renewPassword)
	operator.post("/settings/people/:id/remove", a.removePerson)
	operator.post("/settings/tokens", a.addToken)
	operator.post("/settings/tokens/:id/revoke", a.revokeToken)
	operator.post("/settings/clients", a.addClient)
	operator.post("/settings/clients/:id/revoke", a.revokeClient)
}

// inboundRoutes are for the booking platforms: the address is the proof.
func (a *app) inboundRoutes(f *fiber.App) {
	f.Get(inboundPath+":platform/:token", a.receive)
	f.Post(inboundPath+":platform/:token", a.receive)
	f.Use(inboundPath+"*", a.receive) // which answers other methods, and what is no address
}

// apiRoutes are the JSON API: one token, one account.
func (a *app) apiRoutes(api fiber.Router) {
	api.Get("/openapi.json", a.showOpenAPI)
	v1 := api.Group("/v1", a.bearer)
	v1.Get("/account", a.apiShowAccount)

	v1.Post("/events", a.apiAddEvent)
	v1.Post("/events/batch", a.apiAddEvents)
	v1.Get("/events", a.apiListEvents)
	v1.Get("/events/:id", a.apiShowEvent)

	v1.Post("/inline", a.apiAsk)

	v1.Get("/deliveries", a.apiListDeliveries)
	v1.Get("/deliveries/:id", a.apiShowDelivery)
	v1.Post("/deliveries/:id/replay", a.apiReplayDelivery)

	v1.Get("/webhooks", a.apiListWebhooks)
	v1.Post("/webhooks", a.apiAddWebhook)
	v1.Get("/webhooks/:id", a.apiShowWebhook)
	v1.Patch("/webhooks/:id", a.apiChangeWebhook)
	v1.Delete("/webhooks/:id", a.apiDeleteWebhook)
	v1.Post("/webhooks/:id/test", a.apiTestWebhook)

	v1.Get("/channels", a.apiListItems)
	v1.Put("/channels", a.apiPutItems)
	v1.Get("/tours", a.apiListItems)
	v1.Put("/tours", a.apiPutItems)

	api.Use(noRoute)
}

// prioRoutes are for clients written for Prioticket's Distributor API.
func (a *app) prioRoutes(prio fiber.Router) {
	prio.Post("/oauth2/token", a.prioGrant)
	prio.Get("/webhooks", a.withGrant, a.prioListWebhooks)
	prio.Post("/webhooks", a.withGrant, a.prioAddWebhook)
	prio.Delete("/webhooks/:webhook_id", a.withGrant, a.prioDeleteWebhook)
	prio.Post("/notifications", a.withGrant, a.prioNotify)
	prio.Use(noRoute)
}

// otherMethods answers what no page takes, before anybody is asked to sign in
// for it.
func otherMethods(c *fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodPost:
		return c.Next()
	}
	return noRoute(c)
}

// noRoute says that there is nothing here, or which methods there are for it.
func noRoute(c *fiber.Ctx) error {
	var allowed []string
	for _, r := range c.App().GetRoutes(true) {
		if !slices.Contains(allowed, r.Method) && fiber.RoutePatternMatch(c.Path(), r.Path, c.App().Config()) {
			allowed = append(allowed, r.Method)
		}
	}
	if len(allowed) == 0 {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderAllow, strings.Join(allowed, ", "))
	return fiber.ErrMethodNotAllowed
}

// guarded registers routes behind a guard of their own. A group would put the
// guard before whatever is registered later, and before what is not found.
type guarded struct {
	router fiber.Router
	guard  fiber.Handler
}

func (g guarded) get(path string, handler fiber.Handler)  { g.router.Get(path, g.guard, handler) }
func (g guarded) post(path string, handler fiber.Handler) { g.router.Post(path, g.guard, handler) }
