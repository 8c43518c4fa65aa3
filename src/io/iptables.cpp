#include "plumbline/io/iptables.hpp"

#include <fcntl.h>
#include <linux/netlink.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "plumbline/io/host.hpp"
#include "plumbline/io/netlink_socket.hpp"
#include "plumbline/io/nft_tables.hpp"
#include "plumbline/io/program.hpp"
#include "plumbline/io/saved_text.hpp"

namespace plumbline::io {

namespace {

/// Where programs of the system may be; never looked up along a PATH somebody set.
constexpr std::array<std::string_view, 4> directories{"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"};
constexpr std::size_t longest_message = 1000;

std::string find_program(const std::string& name) {
  for (const auto directory : directories) {
    std::string path = std::string(directory) + name;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

std::string_view base_name(Family family) {
  switch (family) {
    case Family::inet:
      return "iptables";
    case Family::inet6:
      return "ip6tables";
    case Family::bridge:
      return "ebtables";
  }
  return {};
}

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
  std::string said = one_line(finished.errors);
  return said.empty() ? "exit status " + std::to_string(finished.status) : said;
}

void in_namespace(const NetworkNamespace* where, const std::function<void()>& work) {
  if (where == nullptr) {
    work();
  } else {
    where->run(work);
  }
}

/// The names of the legacy tables there are, one a line. Reading this loads no kernel module, as
/// asking iptables would.
std::string legacy_tables(const NetworkNamespace* where, Family family) {
  std::string names;
  in_namespace(where, [&] {
    const Descriptor file(open(family == Family::inet ? "/proc/thread-self/net/ip_tables_names"
                                                      : "/proc/thread-self/net/ip6_tables_names",
                               O_RDONLY | O_CLOEXEC));
    if (!file) {
      if (errno == ENOENT) return;
      give_up("cannot read the names of the iptables tables", errno);
    }
    std::array<char, 4096> buffer{};
    const ssize_t size = read(file.get(), buffer.data(), buffer.size());
    if (size < 0) give_up("cannot read the names of the iptables tables", errno);
    names.assign(buffer.data(), static_cast<std::size_t>(size));
  });
  return names;
}

NetlinkSocket nfnetlink_in(const NetworkNamespace* where) {
  std::optional<NetlinkSocket> socket;
  in_namespace(where, [&] { socket.emplace(NETLINK_NETFILTER); });
  return std::move(*socket);
}

std::string_view builtin_chains(std::string_view table) {
  if (table == "filter" || table == "security") {
    return ":INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n";
  }
  if (table == "nat") {
    return ":PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n";
  }
  if (table == "raw") return ":PREROUTING ACCEPT\n:OUTPUT ACCEPT\n";
  return ":PREROUTING ACCEPT\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n"
         ":POSTROUTING ACCEPT\n";
}

}  // namespace

std::string Iptables::program(Family family, Backend backend, std::string_view action) const {
  const std::string base(base_name(family));
  const std::string suffix = action.empty() ? "" : "-" + std::string(action);
  std::string path = find_program(base + "-" + std::string(format(backend)) + suffix);
  // Where only one backend is packaged its programs may have the plain names alone.
  if (path.empty() && installed_default() == backend) path = find_program(base + suffix);
  return path;
}

Backend Iptables::installed_default() const {
  const std::string path = find_program("iptables");
  if (path.empty()) return Backend::automatic;
  const Finished finished = run_program({.path = path, .arguments = {"-V"}, .input = {}});
  if (!finished.succeeded()) return Backend::automatic;
  // Before 1.8 there was one backend, and no word for it in the version.
  return finished.output.find("nf_tables") != std::string::npos ? Backend::nft : Backend::legacy;
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

std::string Iptables::save(Family family, Backend backend) {
  const std::string path = program(family, backend, "save");
  if (path.empty()) {
    throw HostError(std::string(base_name(family)) + "-save (" + std::string(format(backend)) +
                    ") is not installed");
  }
  Finished finished = run_program({.path = path, .arguments = {}, .input = {}, .where = where_});
  if (!finished.succeeded()) {
    throw HostError("the " + std::string(base_name(family)) +
                    " rules cannot be seen: " + why(finished));
  }
  return std::move(finished.output);
}

std::string Iptables::rival_rules(Family family) {
  const Backend rival = backend() == Backend::nft ? Backend::legacy : Backend::nft;
  if (rival == Backend::legacy && legacy_tables(where_, family).empty()) return {};
  const std::string kind = std::string(base_name(family)) + " (" + std::string(format(rival)) + ")";
  if (program(family, rival, "save").empty()) {
    if (rival == Backend::nft) return {};
    return kind + " has tables in the kernel, and is not installed to look into them";
  }
  try {
    const SavedText saved = inspect_saved(save(family, rival));
    if (!saved.holds_rules && saved.unobservable.empty()) return {};
  } catch (const HostError& error) {
    return error.what();
  }
  return kind + " holds rules too: the kernel applies both, and only those of " +
         std::string(format(backend())) + " are looked at";
}

wire::Reply Iptables::dump(Family family) {
  const Backend chosen = backend();
  auto& warning = rival_[family == Family::inet ? 0 : 1];
  if (!warning) warning = rival_rules(family);
  wire::Reply reply;
  reply.message = *warning;
  // Without the kernel's module for the family there is no table, and asking would load it.
  if (chosen == Backend::legacy && legacy_tables(where_, family).empty()) return reply;
  reply.text = save(family, chosen);
  const SavedText saved = inspect_saved(reply.text);
  if (!saved.unobservable.empty()) {
    throw HostError("the " + std::string(base_name(family)) +
                    " rules cannot be seen: " + saved.unobservable);
  }
  if (!saved.warning.empty()) {
    reply.message += (reply.message.empty() ? "" : "; ") + saved.warning;
  }
  return reply;
}

wire::Reply Iptables::restore(Family family, const std::string& text) {
  const std::string path = program(family, backend(), "restore");
  if (path.empty()) throw HostError(std::string(base_name(family)) + " is not installed");
  // -w: legacy takes the xtables lock, which others hold for a moment; nft takes the option too.
  const Finished finished = run_program(
      {.path = path, .arguments = {"--noflush", "-w", "10"}, .input = text, .where = where_});
  if (finished.succeeded()) return {0, one_line(finished.errors), {}, {}};
  return {finished.expired ? ETIMEDOUT : EINVAL, why(finished), {}, {}};
}

wire::Reply Iptables::drop_table(Family family, const std::string& table) {
  if (backend() == Backend::legacy) return {};
  auto nfnetlink = nfnetlink_in(where_);
  return drop_empty_table(nfnetlink, family, table);
}

void Iptables::wipe_legacy(Family family) {
  std::string names = legacy_tables(where_, family);
  std::string text;
  for (std::size_t end = names.find('\n'); end != std::string::npos; end = names.find('\n')) {
    const std::string table = names.substr(0, end);
    names.erase(0, end + 1);
    text += "*" + table + "\n";
    text += builtin_chains(table);
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
  if (backend() == Backend::nft) {
    auto nfnetlink = nfnetlink_in(where_);
    drop_all_tables(nfnetlink);
  } else {
    wipe_legacy(Family::inet);
    wipe_legacy(Family::inet6);
  }
}

}  // namespace plumbline::io
