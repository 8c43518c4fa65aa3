#include "plumbline/io/iptables.hpp"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "nft_tables.hpp"
#include "plumbline/firewall/bytes/iptables_tables.hpp"
#include "plumbline/io/files.hpp"
#include "plumbline/io/host.hpp"
#include "plumbline/io/netlink_socket.hpp"
#include "plumbline/io/program.hpp"

namespace plumbline::io {

namespace {

constexpr std::size_t longest_message = 1000;

/// What a program said, as one line without control characters and without its usage hint.
std::string one_line(std::string_view said) {
  std::string line;
  while (!said.empty() && line.size() < longest_message) {
    const auto end = said.find('\n');
    const auto part = said.substr(0, end);
    said.remove_prefix(end == std::string_view::npos ? said.size() : end + 1);
    if (part.empty() || part.starts_with("Try `")) continue;
    if (!line.empty()) line += "; ";
    line += part.substr(0, longest_message);
  }
  for (char& at : line) {
    if (static_cast<unsigned char>(at) < 0x20 || at == 0x7f) at = ' ';
  }
  return line;
}

std::string why(const Finished& finished) {
  if (finished.expired) return "it did not end in time";
  if (finished.flooded) return "it printed too much";
  if (finished.killed_by != 0) return "signal " + std::to_string(finished.killed_by) + " ended it";
  std::string said = one_line(finished.errors);
  return said.empty() ? "exit status " + std::to_string(finished.status) : said;
}

Backend ask_for_backend(const std::string& path) {
  const Finished finished = run_program({.path = path, .arguments = {"-V"}, .input = {}});
  // Another backend than the host's would be worse than none.
  if (!finished.succeeded()) {
    throw HostError(
        "cannot tell which iptables this host uses (--iptables says it): iptables -V: " +
        why(finished));
  }
  // Before 1.8 there was one backend, and no word for it in the version.
  return finished.output.find("nf_tables") != std::string::npos ? Backend::nft : Backend::legacy;
}

void in_namespace(const NetworkNamespace* where, const std::function<void()>& work) {
  if (where == nullptr) {
    work();
  } else {
    where->run(work);
  }
}

std::vector<HeldTable> legacy_tables_in(const NetworkNamespace* where, Family family) {
  std::vector<HeldTable> tables;
  in_namespace(where, [&] { tables = legacy_tables(family); });
  return tables;
}

NetlinkSocket nfnetlink_in(const NetworkNamespace* where) {
  std::optional<NetlinkSocket> socket;
  in_namespace(where, [&] { socket.emplace(NETLINK_NETFILTER); });
  return std::move(*socket);
}

}  // namespace

std::string Iptables::program(Family family, Backend backend, std::string_view action) {
  const std::string base(firewall::program_word(family));
  const std::string suffix = action.empty() ? "" : "-" + std::string(action);
  std::string path = find_program(base + "-" + std::string(format(backend)) + suffix);
  // The version of iptables says nothing about an ebtables of another package.
  if (family == Family::bridge) return path;
  // Where only one backend is packaged its programs may have the plain names alone.
  if (path.empty() && installed_default() == backend) path = find_program(base + suffix);
  return path;
}

Backend Iptables::installed_default() {
  const std::string path = find_program("iptables");
  if (path.empty()) return Backend::automatic;
  std::string identity = file_identity(path);
  if (identity != asked_program_) {
    default_ = ask_for_backend(path);
    asked_program_ = std::move(identity);
  }
  return default_;
}

Backend Iptables::backend() {
  if (backend_) return *backend_;
  Backend chosen = wanted_ == Backend::automatic ? installed_default() : wanted_;
  if (chosen == Backend::automatic) {
    if (!find_program("iptables-nft-restore").empty()) {
      chosen = Backend::nft;
    } else if (!find_program("iptables-legacy-restore").empty()) {
      chosen = Backend::legacy;
    } else {
      throw HostError("iptables is not installed");
    }
  }
  if (program(Family::inet, chosen, "restore").empty()) {
    throw HostError("iptables (" + std::string(format(chosen)) + ") is not installed");
  }
  backend_ = chosen;
  return chosen;
}

Backend Iptables::backend_of(Family family) {
  return family == Family::bridge ? Backend::nft : backend();
}

std::string Iptables::save(Family family, Backend backend) {
  const std::string path = program(family, backend, "save");
  if (path.empty()) {
    throw HostError(std::string(firewall::program_word(family)) + "-save (" +
                    std::string(format(backend)) + ") is not installed");
  }
  Finished finished = run_program({.path = path, .arguments = {}, .input = {}, .where = where_});
  if (!finished.succeeded()) {
    throw HostError("the " + std::string(firewall::program_word(family)) +
                    " rules cannot be seen: " + why(finished));
  }
  return std::move(finished.output);
}

std::vector<HeldTable> Iptables::nft_tables_of(Family family) {
  if (!rival_nfnetlink_) rival_nfnetlink_ = nfnetlink_in(where_);
  const std::uint32_t generation = nft_generation(*rival_nfnetlink_);
  if (std::exchange(rival_generation_, generation) != generation) {
    rival_tables_ = nft_tables(*rival_nfnetlink_);
  }
  std::vector<HeldTable> tables;
  std::ranges::copy_if(rival_tables_, std::back_inserter(tables), [&](const HeldTable& table) {
    return table.family == firewall::nft_word(family) &&
           firewall::is_iptables_table(family, table.name);
  });
  return tables;
}

std::string Iptables::rival_rules(Family family) {
  // The kernel does not tell which legacy tables of ebtables there are.
  if (family == Family::bridge) return {};
  const Backend rival = backend() == Backend::nft ? Backend::legacy : Backend::nft;
  try {
    const std::string held =
        tell(rival == Backend::nft ? nft_tables_of(family) : legacy_tables_in(where_, family));
    if (held.empty()) return {};
    return std::string(firewall::program_word(family)) + " (" + std::string(format(rival)) +
           ") holds rules too: " + held + ". The kernel applies both, and only those of " +
           std::string(format(backend())) + " are looked at";
  } catch (const HostError& error) {
    return error.what();
  }
}

wire::Reply Iptables::dump(Family family) {
  const Backend chosen = backend_of(family);
  wire::Reply reply;
  reply.message = rival_rules(family);
  // Without the kernel's module for the family there is no table, and asking would load it.
  if (chosen == Backend::legacy && legacy_tables_in(where_, family).empty()) return reply;
  reply.text = save(family, chosen);
  return reply;
}

wire::Reply Iptables::restore(Family family, const std::string& text) {
  const std::string path = program(family, backend_of(family), "restore");
  if (path.empty()) {
    throw HostError(family == Family::bridge
                        ? "ebtables-nft is not installed, and rules of bridges are asked for"
                        : std::string(firewall::program_word(family)) + " is not installed");
  }
  // -w: legacy takes the xtables lock, which others hold for a moment; nft takes the option too.
  // ebtables-nft-restore does not, and needs none.
  std::vector<std::string> arguments{"--noflush"};
  if (family != Family::bridge) arguments.insert(arguments.end(), {"-w", "10"});
  has_bridge_rules_ = has_bridge_rules_ || family == Family::bridge;
  const Finished finished = run_program(
      {.path = path, .arguments = std::move(arguments), .input = text, .where = where_});
  if (finished.succeeded()) return {0, one_line(finished.errors), {}, {}};
  const int error = finished.expired ? ETIMEDOUT : finished.killed_by != 0 ? EINTR : EINVAL;
  return {error, why(finished), {}, {}};
}

void Iptables::wipe_legacy(Family family) {
  std::string text;
  for (const HeldTable& table : legacy_tables_in(where_, family)) {
    text += "*" + table.name + "\n";
    for (const std::string_view chain : firewall::builtin_chains(family, table.name)) {
      text += ":" + std::string(chain) + " ACCEPT\n";
    }
    text += "COMMIT\n";
  }
  if (text.empty()) return;
  const Finished finished = run_program({.path = program(family, Backend::legacy, "restore"),
                                         .arguments = {"-w", "10"},
                                         .input = text,
                                         .where = where_});
  if (!finished.succeeded()) throw HostError("cannot empty a scratch namespace: " + why(finished));
}

void Iptables::wipe() {
  if (has_bridge_rules_ || backend() == Backend::nft) {
    // Closing it would wait until the kernel has freed what was deleted (nft_rcv_nl_event() in
    // net/netfilter/nf_tables_api.c).
    if (!wiping_nfnetlink_) wiping_nfnetlink_ = nfnetlink_in(where_);
    drop_all_tables(*wiping_nfnetlink_);
    has_bridge_rules_ = false;
  }
  if (backend() == Backend::legacy) {
    wipe_legacy(Family::inet);
    wipe_legacy(Family::inet6);
  }
}

}  // namespace plumbline::io
