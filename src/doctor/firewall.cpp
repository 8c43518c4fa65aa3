#include <linux/netlink.h>

#include <algorithm>
#include <iterator>

#include "firewall_programs.hpp"
#include "plumbline/base/diagnostics.hpp"
#include "plumbline/firewall/bytes/iptables_tables.hpp"
#include "plumbline/io/held_tables.hpp"
#include "plumbline/io/host.hpp"
#include "plumbline/wire/netlink.hpp"

namespace plumbline::doctor {

namespace {

using io::Backend;
using io::HeldTable;

// ---- tables -------------------------------------------------------------------------------------

/// Nothing when it could not be seen, or could not be without loading a module: then a finding says
/// so.
using Seen = std::optional<std::vector<HeldTable>>;

Seen look_at_nf_tables(const Kernel& kernel, std::optional<Backend> chosen, Findings& findings) {
  constexpr std::string_view code = "NF_TABLES";
  const Presence presence = kernel.has(nf_tables);
  if (presence == Presence::not_loaded) {
    findings.push_back(
        {Level::ok, code, "not loaded, so it holds nothing; the first use loads it", {}});
    return std::vector<HeldTable>{};
  }
  if (presence == Presence::missing) {
    const bool needed = chosen == Backend::nft;
    findings.push_back({needed ? Level::problem : Level::ok, code, "the kernel has none",
                        needed ? "use --iptables legacy, or another kernel" : ""});
    return std::vector<HeldTable>{};
  }
  if (presence == Presence::unknown) {
    findings.push_back({Level::warning,
                        code,
                        "whether it is loaded cannot be seen, and asking would load it",
                        {}});
    return std::nullopt;
  }
  try {
    io::NetlinkSocket socket(NETLINK_NETFILTER);
    std::vector<HeldTable> tables = io::nft_tables(socket);
    findings.push_back(
        {Level::ok, code, "in the kernel, tables: " + std::to_string(tables.size()), {}});
    return tables;
  } catch (const std::exception& error) {
    findings.push_back({Level::warning, code, error.what(), "look as root"});
    return std::nullopt;
  }
}

Seen look_at_legacy(Findings& findings) {
  constexpr std::string_view code = "LEGACY_TABLES";
  try {
    std::vector<HeldTable> tables = io::legacy_tables(Family::inet);
    std::ranges::move(io::legacy_tables(Family::inet6), std::back_inserter(tables));
    std::string names;
    for (const HeldTable& table : tables) {
      names += (names.empty() ? "" : ", ") + table.family + " " + table.name;
    }
    findings.push_back(
        {Level::ok, code, names.empty() ? "the kernel has none" : "in the kernel: " + names, {}});
    return tables;
  } catch (const io::HostError& error) {
    findings.push_back({Level::warning, code, error.what(), "look as root"});
    return std::nullopt;
  }
}

bool is_of_iptables(const HeldTable& table) {
  return firewall::is_table_of_iptables(table.family, table.name);
}

/// `ip filter (2 rules), ip6 nat (1 chain)`, of iptables' own tables that are not empty.
std::string held_by(const Seen& seen) {
  std::vector<HeldTable> held;
  for (HeldTable table : seen.value_or(std::vector<HeldTable>{})) {
    const bool is_of_ip = table.family == "ip" || table.family == "ip6";
    if (!is_of_ip || !is_of_iptables(table)) continue;
    table.name = table.family + " " + table.name;
    held.push_back(std::move(table));
  }
  return io::tell(held);
}

void examine_rules(std::optional<Backend> chosen, const std::string& nft, const std::string& legacy,
                   Findings& findings) {
  constexpr std::string_view code = "RULES";
  if (nft.empty() && legacy.empty()) {
    findings.push_back({Level::ok, code, "no rules of iptables were seen", {}});
    return;
  }
  const bool takes_nft = chosen != Backend::legacy;
  const std::string taken = takes_nft ? "nft" : "legacy";
  const std::string other = takes_nft ? "legacy" : "nft";
  const std::string& others = takes_nft ? legacy : nft;
  if (others.empty()) {
    findings.push_back({Level::ok, code, taken + " alone holds rules: " + nft + legacy, {}});
    return;
  }
  const std::string move = "move what is wanted (iptables-" + other + "-save, iptables-" + taken +
                           "-restore --noflush) and empty " + other + " (iptables-" + other +
                           " -F, -X and -P, for each table and for ip6tables)";
  if (nft.empty() || legacy.empty()) {
    findings.push_back({Level::warning, code,
                        other + " alone holds rules: " + others + ". plumbline takes " + taken,
                        "take --iptables " + other + ", or " + move});
    return;
  }
  findings.push_back(
      {Level::warning, code,
       "both backends hold rules: nft " + nft + "; legacy " + legacy +
           ". The kernel applies both, and a packet passes only what both let through; plumbline "
           "looks at those of " +
           taken + " alone",
       move + "; or take --iptables " + other});
}

/// iptables takes rules there without a word, and shows them.
void examine_idle(const Seen& nft, Findings& findings) {
  for (const HeldTable& table : nft.value_or(std::vector<HeldTable>{})) {
    if (!is_of_iptables(table)) continue;
    const std::string name = table.family + " " + printable(table.name);
    if (table.dormant) {
      findings.push_back({Level::warning, "DORMANT_TABLE",
                          "table " + name + " is dormant: no rule of it meets a packet",
                          "wake it with `nft add table " + name + "`"});
    }
    for (const std::string& chain : table.misplaced) {
      findings.push_back({Level::warning, "MISPLACED_CHAIN",
                          "table " + name + ": chain " + printable(chain) +
                              ": rules in it do not judge what they are for",
                          "remove the chain with `nft delete chain`, then iptables and plumbline "
                          "make it where it belongs"});
    }
  }
}

void examine_foreign(const Seen& nft, Findings& findings) {
  constexpr std::size_t most_named = 5;
  for (const HeldTable& table : nft.value_or(std::vector<HeldTable>{})) {
    const std::string name = "table " + table.family + " " + printable(table.name);
    if (!is_of_iptables(table)) {
      const bool judges =
          table.hooks != 0 && !table.dormant && (table.rules != 0 || table.policies != 0);
      findings.push_back(
          {judges ? Level::warning : Level::ok, "FOREIGN_TABLE",
           name + ": not of iptables, with rules: " + std::to_string(table.rules) +
               ", chains at hooks: " + std::to_string(table.hooks),
           judges ? "a packet passes only what this table lets through as well; plumbline neither "
                    "shows nor changes it"
                  : ""});
    }
    if (table.unknown.empty()) continue;
    std::string rules;
    for (std::size_t i = 0; i < std::min(most_named, table.unknown.size()); ++i) {
      rules += (i == 0 ? "" : "; ") + printable(table.unknown[i]);
    }
    if (table.unknown.size() > most_named) {
      rules += "; and " + std::to_string(table.unknown.size() - most_named) + " more";
    }
    findings.push_back({Level::warning, "INCOMPATIBLE",
                        name + " holds what iptables does not show, or shows wrongly: " + rules,
                        "iptables-save leaves the table or the condition out: look with `nft -a "
                        "list " +
                            name + "`, and keep such rules in a table of their own"});
  }
}

/// What some specs need only.
void examine_part(const Kernel& kernel, const Part& part, const char* code, const char* without,
                  Findings& findings) {
  switch (kernel.has(part)) {
    case Presence::there:
      findings.push_back({Level::ok, code, "in the kernel", {}});
      break;
    case Presence::not_loaded:
      findings.push_back({Level::ok, code, "not loaded; the first use loads it", {}});
      break;
    case Presence::missing:
      findings.push_back({Level::warning, code, "the kernel has none", without});
      break;
    case Presence::unknown:
      findings.push_back({Level::warning, code, "whether it is loaded cannot be seen", {}});
      break;
  }
}

}  // namespace

void examine_firewall(const Examination& examination, Findings& findings) {
  const Kernel kernel;
  const Programs programs{program("iptables", kernel), program("iptables-nft", kernel),
                          program("iptables-legacy", kernel)};
  const auto chosen = chosen_backend(examination.backend, programs);
  examine_programs(programs, findings);
  examine_backend(examination.backend, chosen, programs, findings);
  examine_ebtables(findings);
  const Seen nft = look_at_nf_tables(kernel, chosen, findings);
  const Seen legacy = look_at_legacy(findings);
  examine_rules(chosen, held_by(nft), held_by(legacy), findings);
  examine_idle(nft, findings);
  examine_foreign(nft, findings);
  examine_part(kernel, ip_set, "IPSET", "rules with `-m set` or `-j SET` cannot be applied",
               findings);
  examine_part(kernel, xt_bpf, "BPF_MATCH",
               "VM networks, and rules with `-m bpf`, cannot be applied: they need a kernel "
               "with CONFIG_NETFILTER_XT_MATCH_BPF",
               findings);
  examine_part(kernel, xt_checksum, "CHECKSUM_TARGET",
               "VM networks, and rules with `-j CHECKSUM`, cannot be applied: they need a kernel "
               "with CONFIG_NETFILTER_XT_TARGET_CHECKSUM",
               findings);
  examine_part(kernel, ebt_pkttype, "PKTTYPE_MATCH",
               "VM networks, and rules of ebtables with `--pkttype-type`, cannot be applied: they "
               "need a kernel with CONFIG_BRIDGE_EBT_PKTTYPE",
               findings);
}

}  // namespace plumbline::doctor
