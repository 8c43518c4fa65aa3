#include "plumbline/io/host.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>

#include "parts.hpp"
#include "plumbline/base/number.hpp"
#include "plumbline/engine/ledger_file.hpp"
#include "plumbline/io/namespace.hpp"

namespace plumbline::doctor {

namespace fs = std::filesystem;

namespace {

void examine_kernel(Findings& findings) {
  utsname names{};
  if (uname(&names) != 0) return;
  unsigned major = 0;
  unsigned minor = 0;
  const bool readable = std::sscanf(names.release, "%u.%u", &major, &minor) == 2;
  const bool too_old = readable && (major < 5 || (major == 5 && minor < 14));
  findings.push_back(
      {too_old ? Level::problem : Level::ok, "KERNEL", std::string("Linux ") + names.release,
       too_old ? "plumbline needs Linux 5.14, which tells network namespaces apart" : ""});
}

std::uint64_t effective_capabilities() {
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("CapEff:\t")) continue;
    std::uint64_t value = 0;
    std::from_chars(line.data() + 8, line.data() + line.size(), value, 16);
    return value;
  }
  return 0;
}

void examine_capabilities(Findings& findings) {
  struct Needed {
    unsigned number;
    const char* name;
    const char* what_for;
  };
  constexpr std::array needed{
      Needed{CAP_NET_ADMIN, "CAP_NET_ADMIN", "links, addresses, routes, chains and sysctls"},
      Needed{CAP_SYS_ADMIN, "CAP_SYS_ADMIN",
             "--netns, and the namespace in which firewall rules are compiled"},
      Needed{CAP_NET_RAW, "CAP_NET_RAW", "iptables, which asks the kernel through a raw socket"},
  };
  const std::uint64_t effective = effective_capabilities();
  std::string missing;
  std::string held;
  for (const Needed& each : needed) {
    if ((effective >> each.number & 1U) != 0) {
      held += (held.empty() ? "" : ", ") + std::string(each.name);
    } else {
      missing += (missing.empty() ? "" : "; ") + std::string(each.name) + ", for " + each.what_for;
    }
  }
  if (missing.empty()) {
    findings.push_back({Level::ok, "CAPABILITIES", held, {}});
  } else {
    findings.push_back({Level::problem, "CAPABILITIES", "missing: " + missing,
                        "run it as root, or as the systemd unit does; some of what follows cannot "
                        "be seen without"});
  }
}

void examine_scratch(Findings& findings) {
  try {
    io::NetworkNamespace::make_scratch().run([] {});
    findings.push_back(
        {Level::ok, "SCRATCH_NAMESPACE", "a network namespace can be made and entered", {}});
  } catch (const io::HostError& error) {
    findings.push_back({Level::problem, "SCRATCH_NAMESPACE", error.what(),
                        "firewall rules are compiled in a network namespace of nobody's; in a "
                        "container, allow unshare(2) and setns(2)"});
  }
}

/// errno of writing there, 0 when it may be.
int error_of_writing(const fs::path& path) {
  return faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0 ? 0 : errno;
}

void examine_sysctls(Findings& findings) {
  const int error = error_of_writing("/proc/sys/net/ipv4/ip_forward");
  if (error == 0) {
    findings.push_back({Level::ok, "SYSCTLS", "/proc/sys/net can be written", {}});
  } else {
    findings.push_back({Level::warning, "SYSCTLS",
                        "/proc/sys/net cannot be written: " + io::errno_text(error),
                        "sysctls and settings of links that are sysctls cannot be applied"});
  }
}

void examine_tap(const fs::path& root, Findings& findings) {
  struct stat status {};
  if (stat((root / "dev/net/tun").c_str(), &status) == 0 && S_ISCHR(status.st_mode)) {
    findings.push_back({Level::ok, "TAP", "/dev/net/tun is there", {}});
  } else {
    findings.push_back({Level::warning, "TAP", "there is no /dev/net/tun",
                        "links of the kind tap cannot be made; load the module tun, or give the "
                        "container the device"});
  }
}

std::optional<std::string> first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

void examine_ipv6(Findings& findings) {
  const fs::path settings = "/proc/sys/net/ipv6/conf";
  std::error_code ignored;
  if (!fs::exists(settings, ignored)) {
    findings.push_back({Level::warning, "IPV6", "the kernel has no IPv6, or it is off since boot",
                        "IPv6 addresses, routes and rules cannot be applied"});
    return;
  }
  std::string off;
  for (const char* which : {"all", "default"}) {
    if (first_line(settings / which / "disable_ipv6").value_or("0") == "0") continue;
    off += (off.empty() ? "net.ipv6.conf." : " and net.ipv6.conf.") + std::string(which) +
           ".disable_ipv6";
  }
  if (off.empty()) {
    findings.push_back({Level::ok, "IPV6", "IPv6 is on", {}});
  } else {
    findings.push_back({Level::warning, "IPV6", off + " is set: new links have no IPv6",
                        "IPv6 addresses and routes on them cannot be applied"});
  }
}

/// Why our files are not used as they are, or nothing.
std::string fault_of_state(const fs::path& root) try {
  static_cast<void>(io::PrivateDirectory::open(engine::state_directory(root)));
  return {};
} catch (const io::HostError& fault) {
  return fault.what();
}

void examine_run_directory(const fs::path& root, Findings& findings) {
  const fs::path wanted = root / "run/plumbline";
  std::error_code ignored;
  const fs::path there = fs::exists(wanted, ignored) ? wanted : wanted.parent_path();
  const int error = error_of_writing(there);
  struct statfs file_system {};
  const bool known = statfs(there.c_str(), &file_system) == 0;
  const bool is_volatile =
      known && (file_system.f_type == TMPFS_MAGIC || file_system.f_type == RAMFS_MAGIC);
  if (const std::string fault = fault_of_state(wanted); !fault.empty()) {
    findings.push_back({Level::problem, "RUN_DIRECTORY", fault,
                        "the lock and the values found before are kept there"});
  } else if (error != 0) {
    findings.push_back({Level::problem, "RUN_DIRECTORY",
                        there.string() + " cannot be written: " + io::errno_text(error),
                        "the lock and the values found before are kept there"});
  } else if (!is_volatile) {
    findings.push_back({Level::warning, "RUN_DIRECTORY",
                        there.string() + " can be written, and is not on a tmpfs",
                        "what is kept there describes the running kernel: remove it at boot"});
  } else {
    findings.push_back({Level::ok, "RUN_DIRECTORY", there.string() + " can be written", {}});
  }
}

/// Who holds a lock of flock(2) on the file: a pid, 0 when nobody does. The lock itself is not
/// tried, as another plumbline might want it just then. Nothing when it cannot be told.
std::optional<int> holder_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? std::optional(0) : std::nullopt;
  }
  std::array<char, 64> file{};
  std::snprintf(file.data(), file.size(), "%02x:%02x:%llu", major(status.st_dev),
                minor(status.st_dev), static_cast<unsigned long long>(status.st_ino));
  std::ifstream locks("/proc/locks");
  if (!locks) return std::nullopt;
  for (std::string line; std::getline(locks, line);) {
    // `1: FLOCK  ADVISORY  WRITE 4711 00:1a:815 0 EOF`; who waits has `->` behind the number.
    std::istringstream words(line);
    std::string number;
    std::string kind;
    std::string manner;
    std::string access;
    std::string pid;
    std::string place;
    words >> number >> kind >> manner >> access >> pid >> place;
    if (kind == "FLOCK" && place == file.data()) return parse_number<int>(pid);
  }
  return 0;
}

void examine_lock(const fs::path& root, Findings& findings) {
  try {
    const fs::path path = engine::state_directory(root / "run/plumbline") / "lock";
    const std::optional<int> holder = holder_of(path);
    std::string message = "no plumbline is changing this network namespace";
    if (!holder) message = "whether another plumbline is at work cannot be seen";
    if (holder && *holder != 0) message = "held by pid " + std::to_string(*holder);
    findings.push_back({holder ? Level::ok : Level::warning, "LOCK", message, {}});
  } catch (const io::HostError& error) {
    findings.push_back({Level::problem, "LOCK", error.what(), {}});
  }
}

}  // namespace

void examine_host(const Examination& examination, Findings& findings) {
  examine_kernel(findings);
  examine_capabilities(findings);
  examine_scratch(findings);
  examine_sysctls(findings);
  examine_tap(examination.root, findings);
  examine_ipv6(findings);
  examine_run_directory(examination.root, findings);
  examine_lock(examination.root, findings);
}

}  // namespace plumbline::doctor
