package handlers

import "github.com/gofiber/fiber/v2"

// routes has every address of Bookhook. A group's guards are written once, in
// front of it; what they let through is in the group's name.
func (a *app) routes(f *fiber.App) {
	f.Get("/healthz", a.showHealth)
	f.Get("/static/:name", a.showStatic)
	a.apiRoutes(f.Group("/api"))

	// Anybody.
	f.Use(a.sameOrigin)
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

	operatorRoutes(guarded{staff, operators}, a)
}

// operatorRoutes are for operators of an account: they change it.
func operatorRoutes(operator guarded, a *app) {
	operator.Post("/deliveries/:id/cancel", a.cancelDelivery)
	operator.Post("/webhooks/:id/edit", a.editWebhook)
	operator.Post("/webhooks/:id/switch", a.switchWebhook)
	operator.Post("/webhooks/:id/rotate", a.rotateSecret)
	operator.Post("/webhooks/:id/delete", a.deleteWebhook)
	operator.Post("/drafts/:id/delete", a.deleteDraft)
	operator.Post("/drafts/:id/check-url", a.checkURL)
	operator.Post("/drafts/:id/test", a.tryDraft)
	operator.Get("/drafts/:id/:step", a.showStep)
	operator.Post("/drafts/:id/:step", a.saveStep)
	for _, kind := range []string{"/channels", "/tours"} {
		operator.Post(kind, a.addItem)
		operator.Post(kind+"/rename", a.renameItem)
		operator.Post(kind+"/retire", a.retireItem)
		operator.Post(kind+"/restore", a.restoreItem)
		operator.Post(kind+"/import", a.importItems)
	}
	operator.Get("/settings/account", a.showAccountSettings)
	operator.Post("/settings/account", a.saveAccountSettings)
	operator.Get("/settings/people", a.listPeople)
	operator.Post("/settings/people", a.addPerson)
	operator.Post("/settings/people/:id/remove", a.removePerson)
	operator.Get("/settings/tokens", a.listTokens)
	operator.Post("/settings/tokens", a.addToken)
	operator.Post("/settings/tokens/:id/revoke", a.revokeToken)
	operator.Get("/settings/activity", a.showActivity)
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

	api.Use(func(*fiber.Ctx) error { return fiber.ErrNotFound })
}

// guarded registers routes behind a guard of their own. A group would put the
// guard before whatever is registered later, and before what is not found.
type guarded struct {
	router fiber.Router
	guard  fiber.Handler
}

func (g guarded) Get(path string, handler fiber.Handler)  { g.router.Get(path, g.guard, handler) }
func (g guarded) Post(path string, handler fiber.Handler) { g.router.Post(path, g.guard, handler) }
