#include "tests/sim/seen.hpp"

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "plumbline/firewall/bytes/nft_table.hpp"
#include "plumbline/firewall/bytes/nftables.hpp"
#include "plumbline/wire/netlink.hpp"
#include "tests/sim/looked_at.hpp"

namespace plumbline::sim {

namespace {

std::string hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<unsigned>(byte) >> 4U];
    text += digits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

/// Sorted, as the order of attributes says nothing.
void look(std::span<const std::byte> bytes, const Looked& at, const std::string& prefix,
          std::multiset<std::string>& words) {
  wire::for_each_attribute(bytes, [&](const wire::Attribute& attribute) {
    const auto value = at.values.find(attribute.type());
    if (value != at.values.end()) {
      words.insert(prefix + value->second + "=" + hex(attribute.payload()));
    }
    const auto nest = at.nests.find(attribute.type());
    if (nest != at.nests.end()) {
      look(attribute.payload(), *nest->second.second, prefix + nest->second.first + ".", words);
    }
  });
}

std::string joined(const std::multiset<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += " " + word;
  return text;
}

template <class Header>
std::span<const std::byte> behind(const wire::Message& message) {
  return message.payload().subspan(wire::aligned(sizeof(Header)));
}

template <class Header>
std::multiset<std::string> words_of(const wire::Message& message, const Looked& at) {
  std::multiset<std::string> words;
  look(behind<Header>(message), at, "", words);
  return words;
}

std::string line_of_link(const wire::Message& message) {
  const auto header = message.fixed<ifinfomsg>();
  auto words = words_of<ifinfomsg>(message, looked_link_base);
  constexpr unsigned flags = IFF_UP | IFF_NOARP | IFF_LOOPBACK | IFF_BROADCAST | IFF_MULTICAST;
  words.insert("flags=" + std::to_string(header.ifi_flags & flags));
  std::string kind;
  std::optional<wire::Attribute> data;
  std::optional<unsigned> carrier;
  message.attributes<ifinfomsg>([&](const wire::Attribute& attribute) {
    if (attribute.type() == IFLA_CARRIER) carrier = attribute.u8();
    if (attribute.type() != IFLA_LINKINFO) return;
    look(attribute.payload(), looked_slave, "", words);
    wire::for_each_attribute(attribute.payload(), [&](const wire::Attribute& part) {
      if (part.type() == IFLA_INFO_KIND) kind = part.string();
      if (part.type() == IFLA_INFO_DATA) data = part;
    });
  });
  if (kind != "bridge" && carrier) words.insert("carrier=" + std::to_string(*carrier));
  const std::map<std::string, const Looked*> kinds{
      {"bridge", &looked_bridge}, {"tun", &looked_tun}, {"vxlan", &looked_vxlan}};
  const auto known = kinds.find(kind);
  if (known != kinds.end() && data) look(data->payload(), *known->second, kind + ".", words);
  if (kind == "bridge" && data) {
    wire::for_each_attribute(data->payload(), [&](const wire::Attribute& option) {
      if (option.type() != IFLA_BR_MULTI_BOOLOPT) return;
      const auto options = option.read<br_boolopt_multi>();
      words.insert("learn=" + std::to_string(options.optval >> BR_BOOLOPT_NO_LL_LEARN & 1U));
    });
  }
  return "link " + std::to_string(header.ifi_index) + joined(words);
}

std::string line_of_address(const wire::Message& message) {
  const auto header = message.fixed<ifaddrmsg>();
  auto words = words_of<ifaddrmsg>(message, looked_address);
  message.attributes<ifaddrmsg>([&](const wire::Attribute& attribute) {
    constexpr std::uint32_t of_detection = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_OPTIMISTIC;
    if (attribute.type() == IFA_FLAGS) {
      words.insert("flags=" + std::to_string(attribute.u32() & ~of_detection));
    }
    if (attribute.type() != IFA_CACHEINFO) return;
    const auto times = attribute.read<ifa_cacheinfo>();
    words.insert("preferred=" + std::to_string(times.ifa_prefered));
  });
  return "address " + std::to_string(header.ifa_index) + "/" +
         std::to_string(header.ifa_prefixlen) + " scope=" + std::to_string(header.ifa_scope) +
         joined(words);
}

constexpr unsigned lasting_flags = RTNH_F_DEAD | RTNH_F_PERVASIVE | RTNH_F_ONLINK;

std::string ways_of(const wire::Attribute& multipath) {
  std::string text;
  std::span<const std::byte> rest = multipath.payload();
  while (rest.size() >= sizeof(rtnexthop)) {
    rtnexthop header{};
    std::memcpy(&header, rest.data(), sizeof header);
    std::multiset<std::string> words;
    look(rest.first(header.rtnh_len).subspan(sizeof header), looked_route, "", words);
    text += " [" + std::to_string(header.rtnh_ifindex) + " " + std::to_string(header.rtnh_hops) +
            " " + std::to_string(header.rtnh_flags & lasting_flags) + joined(words) + "]";
    rest = rest.subspan(std::min<std::size_t>(RTNH_ALIGN(header.rtnh_len), rest.size()));
  }
  return text;
}

std::string line_of_route(const wire::Message& message) {
  const auto header = message.fixed<rtmsg>();
  if (header.rtm_type == RTN_MULTICAST || header.rtm_type == RTN_ANYCAST) return {};
  if ((header.rtm_flags & RTM_F_CLONED) != 0) return {};
  std::string ways;
  message.attributes<rtmsg>([&](const wire::Attribute& attribute) {
    if (attribute.type() == RTA_MULTIPATH) ways = ways_of(attribute);
  });
  const auto flags = header.rtm_flags & lasting_flags;
  return "route " + std::to_string(header.rtm_family) + " /" + std::to_string(header.rtm_dst_len) +
         " tos=" + std::to_string(header.rtm_tos) + " type=" + std::to_string(header.rtm_type) +
         " protocol=" + std::to_string(header.rtm_protocol) +
         " scope=" + std::to_string(header.rtm_scope) + " flags=" + std::to_string(flags) +
         joined(words_of<rtmsg>(message, looked_route)) + ways;
}

std::string line_of_rule(const wire::Message& message) {
  const auto header = message.fixed<fib_rule_hdr>();
  return "rule " + std::to_string(header.family) + " " + std::to_string(header.src_len) + " " +
         std::to_string(header.dst_len) + " action=" + std::to_string(header.action) +
         " tos=" + std::to_string(header.tos) + " flags=" + std::to_string(header.flags) +
         joined(words_of<fib_rule_hdr>(message, looked_rule));
}

std::string line_of_nft(const wire::Message& message) {
  const unsigned operation = message.type() & 0xffU;
  const Looked& at = operation == NFT_MSG_NEWTABLE   ? looked_nft_table
                     : operation == NFT_MSG_NEWCHAIN ? looked_nft_chain
                                                     : looked_nft_rule;
  return "nft " + std::to_string(operation) + " " +
         std::to_string(message.fixed<nfgenmsg>().nfgen_family) +
         joined(words_of<nfgenmsg>(message, at));
}

using LineOf = std::string (*)(const wire::Message&);

template <class Header>
wire::Request dump_of(std::uint16_t type, std::uint8_t family) {
  Header header{};
  std::memcpy(&header, &family, 1);  // the first byte of each of them
  wire::MessageBuilder message(type, 0);
  message.header(header);
  return wire::NetlinkDump{std::move(message).finish()};
}

void add_settings(io::Host& host, const std::vector<std::string>& links,
                  std::vector<std::string>& lines) {
  std::vector<wire::Request> reads{wire::SysctlRead{"net/ipv4/ip_forward"},
                                   wire::SysctlRead{"net/ipv4/ip_default_ttl"},
                                   wire::SysctlRead{"net/ipv4/tcp_syncookies"}};
  for (const std::string& link : links) {
    for (const char* name :
         {"rp_filter", "proxy_arp", "forwarding", "promote_secondaries", "accept_redirects"}) {
      reads.emplace_back(wire::SysctlRead{"net/ipv4/conf/" + link + "/" + name});
    }
    for (const char* name : {"forwarding", "disable_ipv6", "accept_ra", "keep_addr_on_down",
                             "ignore_routes_with_linkdown", "hop_limit"}) {
      reads.emplace_back(wire::SysctlRead{"net/ipv6/conf/" + link + "/" + name});
    }
  }
  const std::vector<wire::Reply> replies = host.exchange(reads);
  for (std::size_t i = 0; i < reads.size(); ++i) {
    lines.push_back("setting " + std::get<wire::SysctlRead>(reads[i]).path + " = " +
                    replies[i].text + (replies[i].error != 0 ? " " + shown(replies[i]) : ""));
  }
}

}  // namespace

std::vector<std::string> seen(io::Host& host, const std::vector<std::string>& links,
                              bool nf_tables) {
  std::vector<std::pair<wire::Request, LineOf>> questions{
      {dump_of<ifinfomsg>(RTM_GETLINK, 0), line_of_link},
      {dump_of<ifaddrmsg>(RTM_GETADDR, 0), line_of_address},
      {dump_of<rtmsg>(RTM_GETROUTE, AF_INET), line_of_route},
      {dump_of<rtmsg>(RTM_GETROUTE, AF_INET6), line_of_route},
      {dump_of<fib_rule_hdr>(RTM_GETRULE, AF_INET), line_of_rule},
      {dump_of<fib_rule_hdr>(RTM_GETRULE, AF_INET6), line_of_rule}};
  if (nf_tables) {
    questions.emplace_back(wire::NetfilterQuery{firewall::tables_query()}, line_of_nft);
    questions.emplace_back(wire::NetfilterQuery{firewall::chains_query()}, line_of_nft);
    questions.emplace_back(wire::NetfilterQuery{firewall::rules_query()}, line_of_nft);
  }
  std::vector<std::string> lines;
  for (const auto& [request, line_of] : questions) {
    const wire::Reply reply = host.exchange(std::span(&request, 1)).front();
    if (reply.error != 0) lines.push_back("cannot be dumped: " + shown(reply));
    wire::for_each_message(reply.bytes, [&, line = line_of](const wire::Message& message) {
      std::string text = line(message);
      if (!text.empty()) lines.push_back(std::move(text));
    });
  }
  if (nf_tables) {
    const wire::Request question = wire::NetfilterQuery{firewall::generation_query()};
    const wire::Reply reply = host.exchange(std::span(&question, 1)).front();
    lines.push_back("generation " + std::to_string(firewall::read_generation(reply.bytes)));
  }
  add_settings(host, links, lines);
  return lines;
}

std::string difference(const std::vector<std::string>& one, const std::vector<std::string>& other) {
  std::string text;
  const auto lack = [&](const auto& from, const auto& in, const char* sign) {
    std::multiset<std::string> rest(in.begin(), in.end());
    for (const std::string& line : from) {
      const auto found = rest.find(line);
      if (found != rest.end()) {
        rest.erase(found);
      } else {
        text += sign + line + "\n";
      }
    }
  };
  lack(one, other, "- ");
  lack(other, one, "+ ");
  if (!text.empty() || one == other) return text;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i] != other[i]) return "in another order: " + one[i] + "\nand " + other[i] + "\n";
  }
  return text;
}

std::string shown(const wire::Reply& reply) {
  return std::to_string(reply.error) + " '" + reply.message + "'" +
         (reply.place ? " at " + std::to_string(*reply.place) : "");
}

std::string shown(const wire::Request& request) {
  if (const auto* change = std::get_if<wire::NetlinkChange>(&request)) {
    const wire::Message message{std::span(change->message)};
    char flags[16];
    std::snprintf(flags, sizeof flags, "%x", message.flags());
    const std::string head = "type " + std::to_string(message.type()) + " flags " + flags;
    switch (message.type()) {
      case RTM_NEWADDR:
      case RTM_DELADDR:
        return head + " " + line_of_address(message);
      case RTM_NEWROUTE:
      case RTM_DELROUTE:
        return head + " " + line_of_route(message) + " " + hex(behind<rtmsg>(message));
      case RTM_NEWRULE:
      case RTM_DELRULE:
        return head + " " + line_of_rule(message);
      default:
        return head + " change=" + std::to_string(message.fixed<ifinfomsg>().ifi_change) + " " +
               line_of_link(message) + " " + hex(behind<ifinfomsg>(message));
    }
  }
  if (const auto* write = std::get_if<wire::SysctlWrite>(&request)) {
    return "write '" + write->value + "' to " + write->path;
  }
  if (const auto* tap = std::get_if<wire::TapChange>(&request)) {
    return "TAP " + std::string(tap->name.view()) +
           (tap->action == wire::TapChange::Action::create ? " made" : " given");
  }
  std::string text = "batch";
  if (const auto* batch = std::get_if<wire::NftBatch>(&request)) {
    text += " at " + std::to_string(batch->generation);
    wire::for_each_message(batch->messages, [&](const wire::Message& message) {
      text += "\n    " + std::to_string(message.flags()) + " " + line_of_nft(message);
    });
  }
  return text;
}

}  // namespace plumbline::sim
