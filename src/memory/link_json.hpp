// The settings that a link of somebody else's had before us, in the ledger and out of it.
//
// Not as a spec writes links: others may set what no spec may say.

#pragma once

#include <boost/json/fwd.hpp>

#include "plumbline/kinds/link.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline::memory {

/// Aliases and names that others gave may be any bytes, JSON is UTF-8: a byte is the character of
/// the same number.
[[nodiscard]] std::string text_of(std::string_view bytes);
[[nodiscard]] std::string bytes_of(std::string_view text);

[[nodiscard]] boost::json::value link_to_json(const Link& link);
[[nodiscard]] Link link_from_json(const wire::Entry& entry, const IfName& name);

}  // namespace plumbline::memory
