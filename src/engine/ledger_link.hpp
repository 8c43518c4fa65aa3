// The settings that a link of somebody else's had before us, in the ledger and out of it.
//
// Not as a spec writes links: others may set what no spec may say.

#pragma once

#include <boost/json/fwd.hpp>

#include "plumbline/kinds/link.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline::engine {

[[nodiscard]] boost::json::value link_to_json(const Link& link);
[[nodiscard]] Link link_from_json(const wire::Entry& entry, const IfName& name);

}  // namespace plumbline::engine
