// One setting of a systemd component, found as systemd finds it (systemd-system.conf(5),
// "Configuration directories and precedence"). Knows no defaults.

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace plumbline::doctor {

struct SystemdSwitch {
  bool on = false;
  std::filesystem::path file;  ///< where it is set
};

/// The yes-or-no setting `key` of `[section]` in `file` (`networkd.conf`) and its drop-ins below
/// `root`. Nothing when no file sets it to a word that systemd takes.
[[nodiscard]] std::optional<SystemdSwitch> systemd_switch(const std::filesystem::path& root,
                                                          const std::string& file,
                                                          std::string_view section,
                                                          std::string_view key);

}  // namespace plumbline::doctor
