"""The form in which chain specifications are compared."""
import json
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import chain_spec  # noqa: E402


class Normalise(unittest.TestCase):
    def test_code_is_left_out_of_a_plain_spec(self):
        one = chain_spec.normalise({"name": "x", "genesis": {"runtimeGenesis": {"code": "0x01", "config": {"a": 1}}}})
        two = chain_spec.normalise({"genesis": {"runtimeGenesis": {"config": {"a": 1}, "code": "0x02"}}, "name": "x"})
        self.assertEqual(one, two)

    def test_code_is_left_out_of_a_raw_spec(self):
        text = chain_spec.normalise({"genesis": {"raw": {"top": {"0x3a636f6465": "0xff", "0x01": "0x02"}}}})
        self.assertEqual(json.loads(text)["genesis"]["raw"]["top"], {"0x3a636f6465": "0x", "0x01": "0x02"})

    def test_a_changed_value_shows(self):
        one = chain_spec.normalise({"genesis": {"runtimeGenesis": {"code": "0x01", "config": {"a": 1}}}})
        two = chain_spec.normalise({"genesis": {"runtimeGenesis": {"code": "0x01", "config": {"a": 2}}}})
        self.assertNotEqual(one, two)


if __name__ == "__main__":
    unittest.main()
