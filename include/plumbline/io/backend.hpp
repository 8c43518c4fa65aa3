// Which iptables: the one on nf_tables, or the one on the old x_tables.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace plumbline::io {

enum class Backend : std::uint8_t {
  automatic,  ///< what the installed `iptables` is
  nft,
  legacy,
};

/// `auto`, `nft`, `legacy`
[[nodiscard]] constexpr std::string_view format(Backend backend) {
  switch (backend) {
    case Backend::automatic:
      return "auto";
    case Backend::nft:
      return "nft";
    case Backend::legacy:
      return "legacy";
  }
  return "";
}

[[nodiscard]] constexpr std::optional<Backend> parse_backend(std::string_view text) {
  for (const Backend backend : {Backend::automatic, Backend::nft, Backend::legacy}) {
    if (format(backend) == text) return backend;
  }
  return std::nullopt;
}

}  // namespace plumbline::io
