// Package incidents decides when people are notified that something is wrong, and that it
// is over: which incidents begin, become worse and end, and who wants to know when. It
// is pure: package db stores what it decides, and package notices writes the messages.
//
// Every half minute, what is wrong is read as [Condition]s and compared with the
// incidents that are open ([Decide]). So a webhook that fails is one incident from its
// beginning to its end, with a stage for each time that people are notified something new.
//
//	incidents.go  what an incident is, and the decision
//	conditions.go what is wrong: outages, certificates, rejected requests, disk, backup
//	settings.go   what each person wants to know, and when
package incidents
