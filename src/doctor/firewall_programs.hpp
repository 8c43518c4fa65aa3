// The programs of iptables and ebtables that are installed, and which of them plumbline takes.

#pragma once

#include <optional>
#include <string>

#include "kernel_parts.hpp"
#include "parts.hpp"

namespace plumbline::doctor {

struct Installed {
  std::string path;     ///< empty: not installed
  std::string version;  ///< `1.8.9`; empty when it was not asked
  bool is_nft = false;
};

/// iptables-nft opens a socket of nfnetlink before it says its version, which would load that: it
/// is not asked where that is not loaded.
[[nodiscard]] Installed program(const std::string& name, const Kernel& kernel);

struct Programs {
  Installed plain;
  Installed nft;
  Installed legacy;
};

/// The backend that plumbline takes, as io::Iptables::backend() does.
[[nodiscard]] std::optional<io::Backend> chosen_backend(io::Backend wanted,
                                                        const Programs& programs);

void examine_programs(const Programs& programs, Findings& findings);
void examine_backend(io::Backend wanted, std::optional<io::Backend> chosen,
                     const Programs& programs, Findings& findings);
void examine_ebtables(Findings& findings);

}  // namespace plumbline::doctor
