#include "firewall_programs.hpp"

#include <filesystem>
#include <system_error>

#include "plumbline/io/program.hpp"

namespace plumbline::doctor {

namespace fs = std::filesystem;
using io::Backend;

namespace {

std::string tell(const std::string& name, const Installed& program) {
  return name + (program.version.empty() ? "" : " " + program.version);
}

}  // namespace

Installed program(const std::string& name, const Kernel& kernel) {
  Installed found{io::find_program(name), {}, false};
  if (found.path.empty()) return found;
  std::error_code ignored;
  const std::string file = fs::canonical(found.path, ignored).filename();
  found.is_nft = file.find("nft") != std::string::npos;
  if (found.is_nft && kernel.has(nfnetlink) != Presence::there) return found;
  const io::Finished said = io::run_program({.path = found.path, .arguments = {"-V"}, .input = {}});
  if (!said.succeeded()) return found;
  // `iptables v1.8.9 (nf_tables)`
  const auto version = said.output.find(" v");
  if (version != std::string::npos) {
    found.version = said.output.substr(version + 2,
                                       said.output.find_first_of(" \n", version + 2) - version - 2);
  }
  found.is_nft = found.is_nft || said.output.find("nf_tables") != std::string::npos;
  return found;
}

std::optional<Backend> chosen_backend(Backend wanted, const Programs& programs) {
  if (wanted != Backend::automatic) return wanted;
  if (!programs.plain.path.empty()) return programs.plain.is_nft ? Backend::nft : Backend::legacy;
  if (!programs.nft.path.empty()) return Backend::nft;
  if (!programs.legacy.path.empty()) return Backend::legacy;
  return std::nullopt;
}

void examine_programs(const Programs& programs, Findings& findings) {
  std::string installed;
  const auto add = [&](const std::string& name, const Installed& program) {
    if (!program.path.empty()) installed += (installed.empty() ? "" : ", ") + tell(name, program);
  };
  add("iptables-nft", programs.nft);
  add("iptables-legacy", programs.legacy);
  if (!programs.plain.path.empty()) {
    installed += (installed.empty() ? "" : "; ") + tell("iptables", programs.plain) + " is " +
                 (programs.plain.is_nft ? "nft" : "legacy");
  }
  if (installed.empty()) {
    findings.push_back({Level::problem, "IPTABLES", "iptables is not installed",
                        "plumbline looks at chains and makes them with it: install it"});
  } else {
    findings.push_back({Level::ok, "IPTABLES", installed, {}});
  }
}

void examine_backend(Backend wanted, std::optional<Backend> chosen, const Programs& programs,
                     Findings& findings) {
  if (!chosen) return;
  const std::string name(io::format(*chosen));
  const Installed& own = *chosen == Backend::nft ? programs.nft : programs.legacy;
  const bool plain_will_do =
      !programs.plain.path.empty() && programs.plain.is_nft == (*chosen == Backend::nft);
  if (own.path.empty() && !plain_will_do) {
    findings.push_back({Level::problem, "BACKEND",
                        name + ", as --iptables says, which is not installed",
                        "install it, or take another --iptables"});
    return;
  }
  const std::string why = wanted != Backend::automatic  ? "as --iptables says"
                          : programs.plain.path.empty() ? "the one that is installed"
                                                        : "as the installed iptables is";
  findings.push_back({Level::ok, "BACKEND", name + ", " + why, {}});
}

void examine_ebtables(Findings& findings) {
  if (!io::find_program("ebtables-nft-restore").empty()) {
    findings.push_back({Level::ok, "EBTABLES", "ebtables-nft is installed", {}});
  } else {
    findings.push_back({Level::warning, "EBTABLES", "ebtables-nft is not installed",
                        "a section `ebtables` of a spec cannot be applied"});
  }
  // The kernel does not tell what they hold in a namespace, but by making them there.
  std::string loaded;
  for (const char* table : {"ebtable_filter", "ebtable_nat", "ebtable_broute"}) {
    std::error_code ignored;
    if (!fs::exists(fs::path("/sys/module") / table, ignored)) continue;
    loaded += (loaded.empty() ? "" : ", ") + std::string(table);
  }
  if (loaded.empty()) return;
  findings.push_back({Level::warning, "EBTABLES_LEGACY",
                      "loaded: " + loaded +
                          ". Where ebtables-legacy holds rules the kernel applies them too, and "
                          "plumbline looks at those of nf_tables alone",
                      "look with ebtables-legacy -L (-t nat, -t broute), and move what is wanted"});
}

}  // namespace plumbline::doctor
