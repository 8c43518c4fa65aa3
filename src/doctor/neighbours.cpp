#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <system_error>

#include "parts.hpp"
#include "systemd_config.hpp"

namespace plumbline::doctor {

namespace fs = std::filesystem;

namespace {

/// A unit that runs has a control group, which is cheaper to look for than to ask systemd.
bool runs(const fs::path& root, const std::string& unit) {
  std::error_code ignored;
  return std::ranges::any_of(std::array{"", "systemd", "unified"}, [&](const char* hierarchy) {
    return fs::exists(root / "sys/fs/cgroup" / hierarchy / "system.slice" / unit, ignored);
  });
}

/// Something wants the unit at boot.
bool is_enabled(const fs::path& root, const std::string& unit) {
  std::error_code error;
  for (const char* directory : {"etc", "run", "usr/lib"}) {
    fs::directory_iterator entries(root / directory / "systemd/system", error);
    if (error) continue;
    for (const auto& entry : entries) {
      const auto kind = entry.path().extension();
      if (kind != ".wants" && kind != ".requires") continue;
      if (fs::is_symlink(entry.path() / unit, error)) return true;
    }
  }
  return false;
}

/// Neighbours work in the namespace of process 1, and have no say in any other. When that cannot be
/// told it is taken to be this one.
bool elsewhere(const fs::path& root) {
  struct stat first {};
  struct stat own {};
  return stat((root / "proc/1/ns/net").c_str(), &first) == 0 &&
         stat("/proc/thread-self/ns/net", &own) == 0 &&
         (first.st_ino != own.st_ino || first.st_dev != own.st_dev);
}

void examine_networkd(const fs::path& root, Findings& findings) {
  const std::string service = "systemd-networkd.service";
  const bool running = runs(root, service);
  const bool enabled = is_enabled(root, service) || is_enabled(root, "systemd-networkd.socket");
  if (!running && !enabled) {
    findings.push_back({Level::ok, "NETWORKD", "systemd-networkd neither runs nor is enabled", {}});
    return;
  }
  struct Setting {
    std::string_view code;
    const char* key;
    const char* what;
    Level level;
  };
  constexpr std::array settings{
      Setting{"NETWORKD_ROUTES", "ManageForeignRoutes", "routes", Level::problem},
      Setting{"NETWORKD_RULES", "ManageForeignRoutingPolicyRules", "policy rules", Level::problem},
      // Nothing of ours is a nexthop object.
      Setting{"NETWORKD_NEXTHOPS", "ManageForeignNextHops", "nexthop objects", Level::warning}};
  for (const Setting& setting : settings) {
    const auto found = systemd_switch(root, "networkd.conf", "Network", setting.key);
    const std::string where = found ? "in " + found->file.string() : "by default";
    const std::string word =
        std::string(running ? "systemd-networkd runs" : "systemd-networkd is enabled") + ", and " +
        setting.key + "= is ";
    if (found && !found->on) {
      findings.push_back({Level::ok, setting.code, word + "no, " + where, {}});
    } else {
      findings.push_back(
          {setting.level, setting.code,
           word + "yes, " + where + ": it removes " + setting.what + " that are not its own",
           std::string("set ") + setting.key +
               "=no under [Network] in /etc/systemd/networkd.conf.d/plumbline.conf and restart "
               "it"});
    }
  }
}

struct Program {
  std::string_view code;
  const char* name;
  const char* unit;
  Level level;
  const char* about;
};
constexpr std::array programs{
    Program{"NETWORK_MANAGER", "NetworkManager", "NetworkManager.service", Level::ok,
            "give it no connection for links of ours"},
    Program{"FIREWALLD", "firewalld", "firewalld.service", Level::warning,
            "what it rejects no rule of ours lets through; open it there as well"},
    Program{"DOCKER", "Docker", "docker.service", Level::ok,
            "put rules for its containers into the shared chain DOCKER-USER"},
};

bool ufw_is_on(const fs::path& root) {
  std::ifstream file(root / "etc/ufw/ufw.conf");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("ENABLED=yes")) return true;
  }
  return false;
}

}  // namespace

void examine_neighbours(const Examination& examination, Findings& findings) {
  const fs::path& root = examination.root;
  if (elsewhere(root)) {
    findings.push_back({Level::ok,
                        "NEIGHBOURS",
                        "services of the host have no say in this network namespace",
                        {}});
    return;
  }
  examine_networkd(root, findings);
  bool any = false;
  for (const Program& program : programs) {
    if (!runs(root, program.unit)) continue;
    any = true;
    findings.push_back(
        {program.level, program.code, std::string(program.name) + " runs", program.about});
  }
  if (ufw_is_on(root)) {
    any = true;
    findings.push_back({Level::warning, "UFW", "ufw is on",
                        "it sets the policies of built-in chains and puts its rules into them: "
                        "leave policies to one of the two"});
  }
  if (!any) {
    findings.push_back(
        {Level::ok, "NEIGHBOURS", "no NetworkManager, firewalld, ufw or Docker", {}});
  }
}

}  // namespace plumbline::doctor
