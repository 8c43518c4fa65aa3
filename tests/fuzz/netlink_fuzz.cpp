// Replies of the kernel, or of somebody posing as it: every decoder takes any bytes. It gives
// values that can be shown and sent back, or throws wire::Malformed, and nothing else.

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <span>
#include <string>

#include "plumbline/state/state.hpp"
#include "plumbline/wire/netlink.hpp"

namespace {

using namespace plumbline;

template <class Read>
void may_be_malformed(Read read) {
  try {
    read();
  } catch (const wire::Malformed&) {
  }
}

LinkNames some_links() {
  LinkNames links;
  for (const std::uint32_t index : {1U, 2U, 3U}) {
    links.add(index, *IfName::parse("link" + std::to_string(index)));
  }
  return links;
}

/// What a plan does with a value it did not ask for.
template <class K>
void use(const K& value, const LinkNames& links) {
  const Mark mark;
  static_cast<void>(format(key(value)));
  static_cast<void>(needs(value).size());
  static_cast<void>(is_marked(value, mark));
  static_cast<void>(boost::json::serialize(to_spec(value)));
  static_cast<void>(transition(value, complete(value, value)));
  static_cast<void>(create(value, links));
  static_cast<void>(update(value, value, links));
  static_cast<void>(remove(value, links));
}

template <class K>
void decode_as(const wire::Reply& reply, const LinkNames& links) {
  Scope scope;
  scope.sysctls = {"net/ipv4/ip_forward"};
  scope.tunnels = {*IfName::parse("link1")};
  for (const wire::Request& query : K::queries(scope)) {
    std::vector<K> values;
    may_be_malformed([&] { K::decode(query, reply, links, values); });
    for (const K& value : values) use(value, links);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto input = std::as_bytes(std::span(bytes, size));
  may_be_malformed([&] {
    wire::for_each_message(input, [](const wire::Message& message) {
      may_be_malformed([&] { static_cast<void>(wire::read_ack(message)); });
    });
  });
  wire::Reply reply;
  reply.bytes.assign(input.begin(), input.end());
  reply.text.assign(reinterpret_cast<const char*>(bytes), size);
  may_be_malformed([&] { static_cast<void>(link_names(reply)); });
  const LinkNames links = some_links();
  Kinds::for_each([&]<class K>(std::type_identity<K>) { decode_as<K>(reply, links); });
  return 0;
}
