// Where a route leads, in the words of a spec: `via`, `dev`, `onlink`, `nexthops`.

#pragma once

#include <boost/json/fwd.hpp>
#include <optional>

#include "plumbline/kinds/route.hpp"

namespace plumbline {

/// An address that can stand for one neighbour or one host.
[[nodiscard]] std::optional<IpAddress> host_word(const wire::Entry& entry);

/// Fills the nexthops of a route whose type is known. False when they are wrong or do not suit it.
[[nodiscard]] bool read_nexthops(const wire::Entry& entry, Route& route);

void put_nexthops(const Route& route, boost::json::object& out);

}  // namespace plumbline
