// What a host says of itself, as lines: two hosts are alike when their lines are.
//
// Compared are the attributes that plumbline's decoders read, and some more. Left out is what
// depends on time: the carrier of a bridge and of what is above it (linkwatch in
// net/core/link_watch.c), and with it RTNH_F_LINKDOWN and the route ff00::/8 of a link that is
// ready; flags of duplicate address detection. Left out too are anycast addresses, which IPv6 takes
// on where it forwards.

#pragma once

#include <string>
#include <vector>

#include "plumbline/io/host.hpp"

namespace plumbline::sim {

/// `links`: whose settings are looked at.
[[nodiscard]] std::vector<std::string> seen(io::Host& host, const std::vector<std::string>& links,
                                            bool nf_tables);

/// The lines that only one of them has, with `-` and `+` before them.
[[nodiscard]] std::string difference(const std::vector<std::string>& one,
                                     const std::vector<std::string>& other);

/// A reply, and a request, in words.
[[nodiscard]] std::string shown(const wire::Reply& reply);
[[nodiscard]] std::string shown(const wire::Request& request);

}  // namespace plumbline::sim
