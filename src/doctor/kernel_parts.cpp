#include "kernel_parts.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace plumbline::doctor {

namespace fs = std::filesystem;

Kernel::Kernel() {
  std::ifstream file("/proc/kallsyms");
  for (std::string line; std::getline(file, line);) {
    readable_ = true;
    // `ffffffff81000000 T name` and, of a module, a tab and `[module]`
    const auto name = std::string_view(line).substr(std::min(line.size(), line.find(' ') + 3));
    for (const Part& part : {nfnetlink, nf_tables, ip_set, xt_bpf, xt_checksum, ebt_pkttype}) {
      if (name.substr(0, name.find('\t')) == part.symbol) there_.insert(part.module);
    }
  }
}

Presence Kernel::has(const Part& part) const {
  std::error_code ignored;
  const bool loaded = fs::exists(fs::path("/sys/module") / part.module, ignored);
  if (loaded || there_.contains(part.module)) return Presence::there;
  if (!readable_) return Presence::unknown;
  utsname names{};
  uname(&names);
  std::ifstream modules(fs::path("/lib/modules") / names.release / "modules.dep");
  if (!modules) return Presence::unknown;
  const std::string wanted = "/" + std::string(part.module) + ".ko";
  for (std::string line; std::getline(modules, line);) {
    if (line.substr(0, line.find(':')).find(wanted) != std::string::npos) {
      return Presence::not_loaded;
    }
  }
  return Presence::missing;
}

}  // namespace plumbline::doctor
