// Text in the style of wg-quick(8), as `config` and `configFile` of a network have it.
//
// Nothing of the text is ever repeated in a message, as any part of it may be part of a key.

#pragma once

#include <optional>
#include <string>

#include "plumbline/spec/network.hpp"

namespace plumbline::spec {

/// Faults are INVALID_WIREGUARD_CONFIG, at their lines of the file or, of a text in the spec, at
/// `pointer`; with one there is no result. What only wg-quick would do is IGNORED_SETTING.
[[nodiscard]] std::optional<TunnelConfig> read_wg_quick(const TunnelText& text,
                                                        const std::string& pointer,
                                                        Diagnostics& diagnostics);

}  // namespace plumbline::spec
