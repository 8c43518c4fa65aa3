#include "tests/support/tables.hpp"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <system_error>

namespace plumbline::test {

std::string program_of(io::Backend backend, std::string_view base, std::string_view action) {
  std::string name = std::string(base) + "-" + std::string(format(backend));
  if (!action.empty()) name += "-" + std::string(action);
  return name;
}

std::string why_no_iptables(io::Backend backend) {
  if (run({program_of(backend, "iptables", "restore"), "--version"}).status != 0) {
    return "iptables is not installed";
  }
  const CommandResult listed = iptables(backend, {"-S"});
  return listed.status == 0 ? std::string() : "iptables cannot be used here: " + listed.output;
}

CommandResult iptables(io::Backend backend, std::vector<std::string> words) {
  words.insert(words.begin(), {program_of(backend, "iptables"), "-w", "60"});
  return run(words);
}

std::map<std::string, std::string> saved_tables(io::Backend backend, Counters counters) {
  std::map<std::string, std::string> tables;
  for (const char* base : {"iptables", "ip6tables"}) {
    std::vector<std::string> words{program_of(backend, base, "save")};
    if (counters == Counters::shown) words.emplace_back("-c");
    std::istringstream saved(must_run(words));
    std::string* table = nullptr;
    for (std::string line; std::getline(saved, line);) {
      if (line.starts_with('*')) table = &tables[std::string(base) + " " + line.substr(1)];
      if (line.starts_with('#') || table == nullptr) continue;
      if (line.starts_with(':') && counters == Counters::hidden) line.erase(line.rfind(" ["));
      *table += line + "\n";
    }
  }
  return tables;
}

std::vector<std::string> rules_of(const std::string& table, std::string_view chain) {
  std::vector<std::string> rules;
  std::istringstream lines(table);
  const std::string start = "-A " + std::string(chain) + " ";
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) line.erase(0, line.find(' ') + 1);
    if (line.starts_with(start)) rules.push_back(line.substr(start.size()));
  }
  return rules;
}

std::uint32_t nft_generation() {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "NETLINK_NETFILTER");
  struct {
    nlmsghdr header;
    nfgenmsg message;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.message.version = NFNETLINK_V0;
  std::array<char, 4096> answer{};
  ssize_t size = send(fd, &request, sizeof request, 0);
  if (size > 0) size = recv(fd, answer.data(), answer.size(), 0);
  close(fd);
  // The generation is the first attribute (nf_tables_fill_gen_info() in
  // net/netfilter/nf_tables_api.c).
  constexpr std::size_t value_at = sizeof request + sizeof(nlattr);
  if (size < static_cast<ssize_t>(value_at + sizeof(std::uint32_t))) {
    throw std::runtime_error("nf_tables does not tell its generation");
  }
  std::uint32_t generation = 0;
  std::memcpy(&generation, answer.data() + value_at, sizeof generation);
  return ntohl(generation);
}

}  // namespace plumbline::test
