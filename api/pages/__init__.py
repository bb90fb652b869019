"""The page kit: views in, HTML out. Routes build a view and call `render`; nothing here reads a database or a clock."""
