// Whose flow a packet belongs to: the answers to it, and ICMP errors about it.
//
// An error carries the beginning of the packet that it is about, by which conntrack finds the flow
// (nf_conntrack_inet_error() in net/netfilter/nf_conntrack_proto_icmp.c). Who sends it is not
// asked: to conntrack anybody's error about anybody's flow is RELATED. So the flow's own ends are
// compared.
// `--ctorigsrc` is who began it, before any NAT, `--ctreplsrc` who answers, after it.

#pragma once

#include <string>

#include "network_resources.hpp"

namespace plumbline::spec {

/// What a guest sends about a connection that somebody else began, and that was let through to it:
/// answers, and errors told to who began it. Not the connection itself: packets of its own
/// direction meet the rules every time, so that tightening them ends what is running.
[[nodiscard]] std::string answers_of(const Network& network);
/// The same about a connection that a guest began.
[[nodiscard]] std::string answers_to(const Network& network);
/// An error about a guest's answers, such as that they are too large for a router on the way. There
/// is a flow to tell of only after it was let through.
[[nodiscard]] std::string errors_about_answers_of(const Network& network);

/// No error of a guest about a flow of others passes, to the host or through it, whatever policies
/// say.
void add_error_guard(const NetworkShape& shape, NetworkResources& resources);

}  // namespace plumbline::spec
