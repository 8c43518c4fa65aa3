// Which attributes of messages count when two hosts are compared. Private to seen.cpp.

#pragma once

#include <cstdint>
#include <map>
#include <utility>

namespace plumbline::sim {

/// Which attributes are looked at, and which of them hold others.
struct Looked {
  std::map<std::uint16_t, const char*> values;
  std::map<std::uint16_t, std::pair<const char*, const Looked*>> nests;
};

extern const Looked looked_link_base;
extern const Looked looked_bridge;
extern const Looked looked_tun;
extern const Looked looked_vxlan;
extern const Looked looked_slave;
extern const Looked looked_address;
extern const Looked looked_route;
extern const Looked looked_rule;
extern const Looked looked_nft_table;
extern const Looked looked_nft_chain;
extern const Looked looked_nft_rule;

}  // namespace plumbline::sim
