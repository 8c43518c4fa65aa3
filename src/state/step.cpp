#include "plumbline/state/step.hpp"

namespace plumbline {

std::string_view format(Why why) {
  switch (why) {
    case Why::added:
      return "new";
    case Why::changed:
      return "changed";
    case Why::drifted:
      return "drifted";
    case Why::unwanted:
      return "unwanted";
    case Why::cascade:
      return "cascade";
    case Why::adopted:
      return "adopted";
  }
  return "unknown";
}

}  // namespace plumbline
