// Package prio is an API for clients that were written for Prioticket's
// Distributor API: the token endpoint, webhooks and notifications, under the same
// paths ([Versions]), with the same fields and the same errors.
//
// A client exchanges its id and secret for an access token that is valid for an
// hour ([Prio.GrantToken], by RFC 6749); [Prio.WithGrant] is the guard in front of
// everything else. The webhooks are those of the account that receive Prioticket's
// events; their ids are UUIDs here. Unknown fields and parameters are ignored, as
// Prioticket does. [Prio.ShowError] sends problems in Prioticket's model of errors;
// those of the token endpoint satisfy RFC 6749, too.
package prio
